import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  describeTransactionsApi,
  endTxnApi,
  initProducerIdApi,
  kafkaError,
  txnOffsetCommitApi,
} from '../../../protocol/index.ts'
import { Backoff } from '../../backoff.ts'
import { checkKafkaCode, KafkaError } from '../../client-error.ts'
import type { Broker, Cluster, CoordinatorKind, RequestOptions } from '../../cluster/cluster.ts'
import type { CommittedOffset, GroupMetadata } from '../../consumer/group-member.ts'
import type { ProducerIdentity } from '../producer-identity.ts'
import { mayHaveTakenEffect, nextAttempt } from './error-policy.ts'
import type { NextAttempt } from './error-policy.ts'
import { codesByPartition } from './codes-by-partition.ts'
import { byTopic } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** Which kind of transactions a cluster has: 2 since KIP-890, part 2. */
export type TransactionVersion = 1 | 2

export type TransactionOutcome = 'commit' | 'abort'

/** How long something is tried, and who wants to know what about it. */
export interface CallLimits {
  readonly timeoutMs: number
  /** Ends the pauses between attempts; an attempt that is on its way is awaited. */
  readonly signal: AbortSignal
  /** Called for each attempt that failed and may have taken effect all the same. */
  readonly mayHaveTakenEffect?: () => void
}

interface CoordinatorOptions {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
}

interface Call<Result> {
  readonly kind: CoordinatorKind
  readonly key: string
  readonly limits: CallLimits
  readonly attempt: (broker: Broker, options: RequestOptions) => Promise<Result>
  /** What an error means for the next attempt. */
  readonly next?: (error: unknown) => NextAttempt
}

/** Markers are written in milliseconds: who waits much longer to ask again spends its time waiting. */
const concurrentPauses = { firstMs: 2, limitMs: 100 }
const markerPauses = { firstMs: 1, limitMs: 20 }
const moveFirstMs = 10
/** States in which the coordinator still has markers to write. */
const markersAreMissing: ReadonlySet<string> = new Set(['PrepareCommit', 'PrepareAbort'])
/** A broker that takes longer to write markers is asked no more; it makes the next write wait itself. */
const markersPatienceMs = 200
/** No member or generation can be named before: the offsets could not be fenced (KIP-447). */
const offsetCommitVersionMin = 3
/** From version 4 on it is for brokers. */
const addPartitionsVersionMax = 3
/** What comes later belongs to two-phase commits (KIP-939). */
const initProducerIdVersionMax = 5

/**
 * The requests that make a transaction, each repeated until it is done, refused for good, or its time is over;
 * then it rejects with the last error as it came. Without state but for where the coordinators are, which the
 * cluster remembers.
 */
export class TransactionCoordinator {
  readonly #cluster: Cluster
  readonly #transactionalId: string
  readonly #transactionTimeoutMs: number
  readonly #requestTimeoutMs: number

  constructor(cluster: Cluster, { transactionalId, transactionTimeoutMs }: CoordinatorOptions) {
    this.#cluster = cluster
    this.#transactionalId = transactionalId
    this.#transactionTimeoutMs = transactionTimeoutMs
    // An answer that takes longer leaves no time to ask again before the broker gives the transaction up.
    this.#requestTimeoutMs = Math.min(cluster.options.requestTimeoutMs, transactionTimeoutMs / 2)
  }

  /** Which kind of transactions the cluster has now; an upgrade changes it. */
  transactionVersion(limits: CallLimits): Promise<TransactionVersion> {
    return this.#transactionCall(limits, async (broker) =>
      (await broker.featureLevel('transaction.version')) >= 2 ? 2 : 1,
    )
  }

  /**
   * Takes the transactional id over, which aborts what its last producer left open; with the identity that we
   * have, moves on to the next, unless somebody else has taken over.
   */
  initProducerId(
    current: ProducerIdentity | undefined,
    limits: CallLimits,
  ): Promise<ProducerIdentity> {
    const versions = {
      versionMax: initProducerIdVersionMax,
      ...(current === undefined ? {} : { versionMin: 3 }),
    }
    return this.#transactionCall(limits, async (broker, options) => {
      const answer = await broker.request(
        initProducerIdApi,
        {
          transactionalId: this.#transactionalId,
          transactionTimeoutMs: this.#transactionTimeoutMs,
          ...current,
        },
        { ...options, ...versions },
      )
      this.#check(answer.errorCode, 'InitProducerId')
      const { producerId, producerEpoch } = answer
      return { producerId, producerEpoch }
    })
  }

  /** Puts partitions into the transaction (TV1). */
  addPartitions(
    identity: ProducerIdentity,
    partitions: readonly TopicPartition[],
    limits: CallLimits,
  ): Promise<void> {
    const body = {
      v3AndBelowTransactionalId: this.#transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: [...byTopic(partitions)].map(([name, inTopic]) => ({
        name,
        partitions: inTopic.map(({ partition }) => partition),
      })),
    }
    return this.#transactionCall(limits, async (broker, options) => {
      const answer = await broker.request(addPartitionsToTxnApi, body, {
        ...options,
        versionMax: addPartitionsVersionMax,
      })
      const codes = codesByPartition(
        answer.resultsByTopicV3AndBelow.map(({ name, resultsByPartition }) => ({
          name,
          partitions: resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
            partition: partitionIndex,
            code: partitionErrorCode,
          })),
        })),
      )
      this.#checkAll('AddPartitionsToTxn', partitions, codes)
    })
  }

  /** Puts the offsets of a group into the transaction (TV1). */
  addOffsets(identity: ProducerIdentity, groupId: string, limits: CallLimits): Promise<void> {
    const body = { transactionalId: this.#transactionalId, ...identity, groupId }
    return this.#transactionCall(limits, async (broker, options) => {
      const answer = await broker.request(addOffsetsToTxnApi, body, options)
      this.#check(answer.errorCode, `AddOffsetsToTxn of group '${groupId}'`)
    })
  }

  /** Commits offsets of a group as a part of the transaction. Sending them again changes nothing. */
  commitOffsets(
    identity: ProducerIdentity,
    version: TransactionVersion,
    group: GroupMetadata,
    offsets: readonly CommittedOffset[],
    limits: CallLimits,
  ): Promise<void> {
    const versions =
      version === 1
        ? { versionMin: offsetCommitVersionMin, versionMax: 4 }
        : { versionMin: 5, versionMax: 5 }
    const attempt = async (broker: Broker, options: RequestOptions) => {
      const answer = await broker.request(
        txnOffsetCommitApi,
        {
          transactionalId: this.#transactionalId,
          groupId: group.groupId,
          ...identity,
          generationId: group.generation,
          memberId: group.memberId,
          groupInstanceId: group.groupInstanceId ?? null,
          topics: [...byTopic(offsets)].map(([name, inTopic]) => ({
            name,
            partitions: inTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
              partitionIndex: partition,
              committedOffset: offset,
              committedLeaderEpoch: leaderEpoch,
              committedMetadata: metadata,
            })),
          })),
        },
        { ...options, ...versions },
      )
      const codes = codesByPartition(
        answer.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, errorCode }) => ({
            partition: partitionIndex,
            code: errorCode,
          })),
        })),
      )
      this.#checkAll(`TxnOffsetCommit of group '${group.groupId}'`, offsets, codes)
    }
    return this.#repeat({ kind: 'group', key: group.groupId, limits, attempt })
  }

  /**
   * Ends the transaction, and repeats the same outcome whatever may have become of it. Answers the identity of
   * the next transaction, where ending one moves the epoch on.
   */
  end(
    identity: ProducerIdentity,
    version: TransactionVersion,
    outcome: TransactionOutcome,
    limits: CallLimits,
  ): Promise<ProducerIdentity | undefined> {
    const body = {
      transactionalId: this.#transactionalId,
      ...identity,
      committed: outcome === 'commit',
    }
    const versions = version === 1 ? { versionMax: 4 } : { versionMin: 5, versionMax: 5 }
    const attempt = async (broker: Broker, options: RequestOptions) => {
      const answer = await broker.request(endTxnApi, body, { ...options, ...versions })
      this.#check(answer.errorCode, `EndTxn (${outcome})`)
      const { producerId, producerEpoch } = answer
      return producerId < 0 ? undefined : { producerId, producerEpoch }
    }
    return this.#repeat({
      kind: 'transaction',
      key: this.#transactionalId,
      limits,
      attempt,
      next: nextAttemptToEnd,
    })
  }

  /**
   * Resolves when the markers of the transaction that was ended last are written, or when that cannot be told soon.
   * Nothing depends on it but time: a write that comes before them waits at the broker, in steps of 20 ms (TV2).
   */
  async markersWritten(limits: CallLimits): Promise<void> {
    const { clock, random } = this.#cluster.platform
    const pauses = new Backoff(random, markerPauses)
    const patienceEndsMs = clock.elapsedMs() + markersPatienceMs
    const transactionalIds = [this.#transactionalId]
    try {
      for (;;) {
        const broker = await this.#cluster.coordinator(
          'transaction',
          this.#transactionalId,
          'transaction',
        )
        const timeoutMs = this.#requestTimeoutMs
        const answer = await broker.request(
          describeTransactionsApi,
          { transactionalIds },
          { timeoutMs },
        )
        const state = answer.transactionStates[0]?.transactionState ?? ''
        if (!markersAreMissing.has(state) || clock.elapsedMs() >= patienceEndsMs) return
        await clock.sleep(pauses.nextMs(), limits.signal)
      }
    } catch {
      // Whoever may not ask, or gets no answer, writes and sees.
    }
  }

  #transactionCall<Result>(
    limits: CallLimits,
    attempt: (broker: Broker, options: RequestOptions) => Promise<Result>,
  ): Promise<Result> {
    return this.#repeat({ kind: 'transaction', key: this.#transactionalId, limits, attempt })
  }

  async #repeat<Result>({ limits, next = nextAttempt, ...call }: Call<Result>): Promise<Result> {
    const { clock, random } = this.#cluster.platform
    const { retryBackoffMs, retryBackoffMsMax } = this.#cluster.options
    const pauses = {
      soon: new Backoff(random, concurrentPauses),
      later: new Backoff(random, { firstMs: retryBackoffMs, limitMs: retryBackoffMsMax }),
      elsewhere: new Backoff(random, { firstMs: moveFirstMs, limitMs: retryBackoffMsMax }),
    }
    const deadlineMs = clock.elapsedMs() + limits.timeoutMs
    for (;;) {
      limits.signal.throwIfAborted()
      try {
        return await this.#attempt(call, limits, deadlineMs)
      } catch (error) {
        const then = next(error)
        if (then === 'none') throw error
        if (then === 'elsewhere') this.#cluster.forgetCoordinator(call.kind, call.key)
        const pauseMs = pauses[then].nextMs()
        if (clock.elapsedMs() + pauseMs >= deadlineMs) throw error
        await clock.sleep(pauseMs, limits.signal)
      }
    }
  }

  async #attempt<Result>(
    { kind, key, attempt }: Pick<Call<Result>, 'kind' | 'key' | 'attempt'>,
    limits: CallLimits,
    deadlineMs: number,
  ): Promise<Result> {
    // Nothing has happened while the coordinator is looked for.
    const broker = await this.#cluster.coordinator(kind, key, 'transaction')
    const leftMs = deadlineMs - this.#cluster.platform.clock.elapsedMs()
    const timeoutMs = Math.max(1, Math.min(this.#requestTimeoutMs, leftMs))
    try {
      return await attempt(broker, { timeoutMs })
    } catch (error) {
      if (mayHaveTakenEffect(error)) limits.mayHaveTakenEffect?.()
      throw error
    }
  }

  #check(code: number, request: string): void {
    checkKafkaCode(code, `${request} of transactional id '${this.#transactionalId}'`)
  }

  /** Throws the error that says most: what was not attempted failed because of another one. */
  #checkAll(
    request: string,
    partitions: readonly TopicPartition[],
    codes: (partition: TopicPartition) => number | undefined,
  ): void {
    let worst: { readonly rank: number; readonly error: KafkaError } | undefined
    for (const partition of partitions) {
      const code = codes(partition) ?? kafkaError.UNKNOWN_SERVER_ERROR
      if (code === kafkaError.NONE) continue
      const rank = rankOf(code)
      if (worst !== undefined && worst.rank >= rank) continue
      const what = `${request}, ${partition.topic}-${partition.partition}, transactional id '${this.#transactionalId}'`
      worst = { rank, error: new KafkaError(code, what) }
    }
    if (worst !== undefined) throw worst.error
  }
}

function rankOf(code: number): number {
  if (code === kafkaError.OPERATION_NOT_ATTEMPTED) return 0
  return nextAttempt(new KafkaError(code, '')) === 'none' ? 2 : 1
}

/** Only an answer that decides ends the repetition: an error of the broker's own says nothing at all. */
function nextAttemptToEnd(error: unknown): NextAttempt {
  const saysNothing =
    error instanceof KafkaError && error.kafkaCode === kafkaError.UNKNOWN_SERVER_ERROR
  return saysNothing ? 'later' : nextAttempt(error)
}
