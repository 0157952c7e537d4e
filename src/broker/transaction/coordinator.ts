import type { Clock, Timer } from '../../platform/index.ts'
import type { Log } from '../../observe/index.ts'
import { offsetsTopic } from '../cluster/topic-name.ts'
import type { CoordinatorLog } from '../coordinator-log.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { decideAddPartitions } from './add-partitions.ts'
import type { AddPartitions } from './add-partitions.ts'
import { completeTransaction } from './completion.ts'
import type { CompletionPorts } from './completion.ts'
import { changeTo } from './decision.ts'
import type { Decision, TransactionView } from './decision.ts'
import { decideEndTransaction } from './end-transaction.ts'
import type { EndTransaction } from './end-transaction.ts'
import { decideInitProducerId } from './init-producer-id.ts'
import type { InitProducerId } from './init-producer-id.ts'
import { describeTransaction, listTransactions } from './listing.ts'
import type { TransactionDescription, TransactionFilter, TransactionListing } from './listing.ts'
import { LoadedPartition } from './loaded-partition.ts'
import type { TransactionMarker, WriteMarker } from './marker.ts'
import { partitionSet } from './partition-set.ts'
import { ProducerIds } from './producer-ids.ts'
import type { ProducerIdBlocks } from './producer-ids.ts'
import { emptyTransactionalId, noOffsetsTopic, otherProducerId } from './refusals.ts'
import type { TransactionSettings } from './settings.ts'
import { Transaction } from './transaction.ts'
import { completed, fenced, newTransaction } from './transaction-metadata.ts'
import type { ProducerIdentity, TransactionMetadata } from './transaction-metadata.ts'
import { tombstone, transactionRecord } from './transaction-record.ts'
import { isIdle, isPrepared } from './transaction-state.ts'
import { WriteVerifier } from './write-verifier.ts'
import type {
  Admission,
  OffsetsWrite,
  ProducerInPartition,
  TransactionalWrite,
} from './write-verifier.ts'

/** What the coordinator needs of the rooms beside it. */
export interface TransactionPorts {
  readonly clock: Pick<Clock, 'now' | 'elapsedMs' | 'setTimer'>
  readonly log: Log
  readonly settings: TransactionSettings
  readonly producerIdBlocks: ProducerIdBlocks
  /** The partition of `__transaction_state` for a transactional id; undefined while there is no topic. */
  readonly partitionOf: (transactionalId: string) => number | undefined
  /** The partition of `__consumer_offsets` for a group; -1 while there is no topic. */
  readonly offsetsPartitionOf: (group: string) => number
  readonly partitionExists: (topic: string, partition: number) => boolean
  /**
   * Writes a marker, and tells the group coordinator when the partition is one of its own. The
   * marker has its place in the partition when the call returns, and is durable when the promise
   * resolves: a coordinator that gives the id up leaves no marker behind that comes late.
   */
  readonly writeMarker: WriteMarker
  /** What a partition remembers of a producer. */
  readonly producerInPartition: (
    topic: string,
    partition: number,
    producerId: number,
  ) => ProducerInPartition | undefined
}

export interface InitProducerIdRequest extends InitProducerId {
  /** Null for a producer that is idempotent only. */
  readonly transactionalId: string | null
}

export type AddPartitionsRequest = AddPartitions & { readonly transactionalId: string }
export interface AddOffsetsRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly groupId: string
}
export type EndTransactionRequest = EndTransaction & { readonly transactionalId: string }

type Decide = (transaction: TransactionView, newProducerId: number | undefined) => Decision

/** What has become of a request: the state it made, or found to be right already. */
interface CarriedOut {
  readonly kind: 'changed' | 'done'
  readonly metadata: TransactionMetadata
}

interface Held {
  readonly loaded: LoadedPartition
  readonly transaction: Transaction | undefined
}

/**
 * The transaction coordinator and the producer ids of all nodes. It keeps the transactional ids of
 * the partitions of `__transaction_state` that were loaded; which node may speak for them is the
 * handlers' business.
 *
 * Every request follows one path: look the id up, ask the rules, make the change durable, take it
 * over into memory. Between looking up and handing the change to the log nothing is awaited, so two
 * requests can never decide on the same state.
 */
export class TransactionCoordinator {
  readonly #ports: TransactionPorts
  readonly #producerIds: ProducerIds
  readonly #verifier: WriteVerifier
  readonly #completion: CompletionPorts
  readonly #loaded = new Map<number, LoadedPartition>()
  readonly #loading = new Map<number, LoadedPartition>()
  readonly #draining = new Map<number, Promise<unknown>>()
  readonly #timers = new Set<Timer>()

  constructor(ports: TransactionPorts) {
    this.#ports = ports
    this.#producerIds = new ProducerIds(ports.producerIdBlocks)
    this.#verifier = new WriteVerifier(ports, this)
    this.#completion = { ...ports, clusterVersion: () => ports.settings.transactionVersion }
  }

  /** Begins to look for what has timed out or expired. */
  start(): void {
    const { settings } = this.#ports
    this.#repeat(
      () => settings.abortTimedOutIntervalMs,
      () => this.abortTimedOut(),
    )
    this.#repeat(
      () => settings.removeExpiredIntervalMs,
      () => this.removeExpired(),
    )
  }

  /** Gives everything up; resolves when no record is on its way any more. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    for (const partition of [...this.#loaded.keys(), ...this.#loading.keys()]) {
      this.unload(partition)
    }
    await Promise.all(this.#draining.values())
  }

  /**
   * Takes a partition of `__transaction_state` over, under the epoch of its leader. Transactions
   * whose outcome was decided are brought to their end. Answers at once unless records of the last
   * coordinator are still on their way: they count, so they must be read.
   */
  async load(log: CoordinatorLog, coordinatorEpoch: number): Promise<void> {
    const { partition } = log
    this.unload(partition)
    const loaded = new LoadedPartition(log, coordinatorEpoch, this.#ports.clock)
    this.#loading.set(partition, loaded)
    const draining = this.#draining.get(partition)
    if (draining !== undefined) await draining
    if (this.#loading.get(partition) !== loaded) return
    this.#loading.delete(partition)
    loaded.replay()
    this.#loaded.set(partition, loaded)
    for (const transaction of loaded.transactions.values()) {
      if (!isPrepared(transaction.metadata.state)) continue
      transaction.begin()
      this.#complete(loaded, transaction, transaction.metadata)
    }
  }

  /** Lets a partition go. What is under way for it is answered with NOT_COORDINATOR. */
  unload(partition: number): void {
    this.#loading.delete(partition)
    const loaded = this.#loaded.get(partition)
    if (loaded === undefined) return
    this.#loaded.delete(partition)
    loaded.unload()
    if (!loaded.appending) return
    const before = this.#draining.get(partition)
    const draining = Promise.all([before, loaded.drained()]).then(() => {
      if (this.#draining.get(partition) === draining) this.#draining.delete(partition)
    })
    this.#draining.set(partition, draining)
  }

  /** Who the producer is from now on. Whoever used the transactional id before is fenced. */
  async initProducerId(request: InitProducerIdRequest): Promise<ProducerIdentity | Refusal> {
    const { transactionalId, timeoutMs } = request
    if (transactionalId === null) return this.#newProducer()
    if (transactionalId === '') return emptyTransactionalId()
    const { clock, settings } = this.#ports
    if (timeoutMs < 1 || timeoutMs > settings.maxTimeoutMs) {
      return refuse(
        'INVALID_TRANSACTION_TIMEOUT',
        `transaction timeout (${timeoutMs}) must be from 1 to ${settings.maxTimeoutMs}`,
      )
    }
    const decide: Decide = (transaction, newProducerId) =>
      decideInitProducerId(transaction, request, {
        now: clock.now(),
        clusterVersion: settings.transactionVersion,
        newProducerId,
      })
    const result = await this.#carryOut(transactionalId, decide, timeoutMs)
    if (isRefusal(result)) return result
    const { state, producerId, producerEpoch } = result.metadata
    if (state === 'Empty') return { producerId, producerEpoch }
    return refuse(
      'CONCURRENT_TRANSACTIONS',
      `the open transaction of '${transactionalId}' is aborted first`,
    )
  }

  /** Adds partitions to a transaction: all of them, or none. */
  async addPartitions(request: AddPartitionsRequest): Promise<Refusal | undefined> {
    const { clock } = this.#ports
    const result = await this.#carryOut(request.transactionalId, (transaction) =>
      decideAddPartitions(transaction, request, clock.now()),
    )
    return isRefusal(result) ? result : undefined
  }

  /** Adds the offsets of a group to a transaction. */
  async addOffsets(request: AddOffsetsRequest): Promise<Refusal | undefined> {
    const { groupId, ...rest } = request
    const partition = this.#ports.offsetsPartitionOf(groupId)
    if (partition === -1) return noOffsetsTopic()
    return this.addPartitions({
      ...rest,
      partitions: partitionSet([{ topic: offsetsTopic, partition }]),
      version: 0,
    })
  }

  /**
   * Decides the outcome of a transaction. Answers when the decision is durable, with who the producer
   * is from now on; the markers follow.
   */
  async endTransaction(request: EndTransactionRequest): Promise<ProducerIdentity | Refusal> {
    const { clock } = this.#ports
    const result = await this.#carryOut(request.transactionalId, (transaction, newProducerId) =>
      decideEndTransaction(transaction, request, clock.now(), newProducerId),
    )
    if (isRefusal(result)) return result
    const { kind, metadata } = result
    const { producerId, producerEpoch } =
      kind === 'changed' ? completed(metadata, clock.now()) : metadata
    return { producerId, producerEpoch }
  }

  /**
   * Whether a producer may write to partitions in its transaction; with Produce 12 and above, makes
   * them a part of it. Answers one result a partition. Where the answer is not a promise the
   * write must follow at once, before anything can end the transaction.
   */
  prepareProduce(write: TransactionalWrite): Admission | Promise<Admission> {
    return this.#verifier.produce(write)
  }

  /** The same for the offsets of a group, by the version of TxnOffsetCommit (5 and above add). */
  verifyOrAddOffsets(write: OffsetsWrite): Refusal | undefined | Promise<Refusal | undefined> {
    return this.#verifier.offsets(write)
  }

  /** Writes a marker that somebody else decided on (an operator, with WriteTxnMarkers). */
  writeMarker(
    topic: string,
    partition: number,
    marker: TransactionMarker,
  ): Promise<Refusal | undefined> {
    return this.#ports.writeMarker(topic, partition, marker)
  }

  list(
    filter: TransactionFilter,
    speaksFor: (transactionalId: string) => boolean,
  ): TransactionListing | Refusal {
    if (this.#loading.size > 0) {
      return refuse('COORDINATOR_LOAD_IN_PROGRESS', 'transactions are being loaded')
    }
    const transactions: Transaction[] = []
    for (const loaded of this.#loaded.values()) {
      for (const [transactionalId, transaction] of loaded.transactions) {
        if (speaksFor(transactionalId)) transactions.push(transaction)
      }
    }
    return listTransactions(transactions, filter, this.#ports.clock.now())
  }

  describe(transactionalId: string): TransactionDescription | Refusal {
    const held = this.#hold(transactionalId)
    if (isRefusal(held)) return held
    if (held.transaction !== undefined) return describeTransaction(held.transaction)
    return refuse('TRANSACTIONAL_ID_NOT_FOUND', `there is no transactional id '${transactionalId}'`)
  }

  /** Aborts the transactions that were open for longer than their producer asked for. */
  async abortTimedOut(now = this.#ports.clock.now()): Promise<void> {
    const { settings } = this.#ports
    const aborts: Promise<unknown>[] = []
    for (const { metadata } of this.#settledTransactions()) {
      if (!hasTimedOut(metadata, now)) continue
      const { transactionalId, producerId, producerEpoch, timeoutMs } = metadata
      const fields = { transactionalId, producerId, producerEpoch, timeoutMs }
      this.#ports.log('info', 'a transaction has timed out and is aborted', fields)
      const decide: Decide = (transaction) =>
        changeTo(fenced(transaction.metadata, settings.transactionVersion, now))
      aborts.push(this.#carryOut(transactionalId, decide))
    }
    await Promise.all(aborts)
  }

  /** Forgets the transactional ids that were not used for long. */
  async removeExpired(now = this.#ports.clock.now()): Promise<void> {
    const usedBefore = now - this.#ports.settings.idExpirationMs
    const removals: Promise<void>[] = []
    for (const loaded of this.#loaded.values()) {
      const expired = [...loaded.transactions.values()].filter(
        ({ changing, metadata }) =>
          !changing && isIdle(metadata.state) && metadata.updateTimestamp <= usedBefore,
      )
      if (expired.length > 0) removals.push(this.#remove(loaded, expired))
    }
    await Promise.all(removals)
  }

  /** Resolves when the id has no change under way, or after `waitMs`. */
  async settled(transactionalId: string, waitMs: number): Promise<void> {
    const held = this.#hold(transactionalId)
    if (isRefusal(held) || held.transaction === undefined) return
    const { transaction } = held
    await new Promise<void>((resolve) => {
      const timer = this.#ports.clock.setTimer(waitMs, resolve)
      void transaction.settled().then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** What is durable of a transactional id. */
  metadataOf(transactionalId: string): TransactionMetadata | Refusal {
    const held = this.#hold(transactionalId)
    if (isRefusal(held)) return held
    return held.transaction?.metadata ?? otherProducerId(transactionalId)
  }

  async #newProducer(): Promise<ProducerIdentity | Refusal> {
    try {
      return { producerId: await this.#producerIds.next(), producerEpoch: 0 }
    } catch (error) {
      return this.#noProducerIds(error)
    }
  }

  #noProducerIds(error: unknown): Refusal {
    this.#ports.log('error', `no producer ids could be reserved: ${String(error)}`)
    return refuse('COORDINATOR_NOT_AVAILABLE', 'no producer ids can be reserved')
  }

  #hold(transactionalId: string): Held | Refusal {
    if (transactionalId === '') return emptyTransactionalId()
    const partition = this.#ports.partitionOf(transactionalId)
    if (partition === undefined) {
      return refuse('COORDINATOR_NOT_AVAILABLE', 'the transaction log does not exist yet')
    }
    if (this.#loading.has(partition)) {
      return refuse('COORDINATOR_LOAD_IN_PROGRESS', 'the transactional id is being loaded')
    }
    const loaded = this.#loaded.get(partition)
    if (loaded === undefined) return notCoordinator(transactionalId)
    return { loaded, transaction: loaded.transactions.get(transactionalId) }
  }

  /**
   * Asks the rules and makes their answer durable. With `newTimeoutMs` an unknown id is made first.
   * The loop turns only when producer ids run out: while they are fetched all can change, so the
   * rules are asked again.
   */
  async #carryOut(
    transactionalId: string,
    decide: Decide,
    newTimeoutMs?: number,
  ): Promise<CarriedOut | Refusal> {
    for (;;) {
      const held = this.#hold(transactionalId)
      if (isRefusal(held)) return held
      const transaction = held.transaction ?? this.#make(held.loaded, transactionalId, newTimeoutMs)
      if (transaction === undefined) {
        if (newTimeoutMs === undefined) return otherProducerId(transactionalId)
      } else {
        const decision = this.#decide(transaction, decide)
        if (isRefusal(decision)) return decision
        if (decision.kind === 'done') return { kind: 'done', metadata: transaction.metadata }
        if (decision.kind === 'change') {
          const metadata = decision.next
          const refused = await this.#change(held.loaded, transaction, metadata)
          return refused ?? { kind: 'changed', metadata }
        }
      }
      try {
        await this.#producerIds.refill()
      } catch (error) {
        return this.#noProducerIds(error)
      }
    }
  }

  #make(
    loaded: LoadedPartition,
    transactionalId: string,
    timeoutMs: number | undefined,
  ): Transaction | undefined {
    const producerId = timeoutMs === undefined ? undefined : this.#producerIds.take()
    if (timeoutMs === undefined || producerId === undefined) return undefined
    const now = this.#ports.clock.now()
    const transaction = new Transaction(newTransaction(transactionalId, producerId, timeoutMs, now))
    loaded.transactions.set(transactionalId, transaction)
    return transaction
  }

  #decide(transaction: Transaction, decide: Decide): Decision {
    const decision = decide(transaction, undefined)
    if (isRefusal(decision) || decision.kind !== 'needs-producer-id') return decision
    const producerId = this.#producerIds.take()
    return producerId === undefined ? decision : decide(transaction, producerId)
  }

  async #change(
    loaded: LoadedPartition,
    transaction: Transaction,
    next: TransactionMetadata,
  ): Promise<Refusal | undefined> {
    transaction.begin()
    const record = transactionRecord(next, this.#ports.settings.transactionVersion)
    const outcome = await loaded.append([record])
    if (outcome === 'unloaded') return notCoordinator(next.transactionalId)
    if (outcome === 'failed') {
      transaction.settle(transaction.metadata)
      return refuse('COORDINATOR_NOT_AVAILABLE', 'the transaction log cannot be written')
    }
    if (isPrepared(next.state)) this.#complete(loaded, transaction, next)
    else transaction.settle(next)
    return undefined
  }

  #complete(loaded: LoadedPartition, transaction: Transaction, next: TransactionMetadata): void {
    transaction.prepare(next)
    void completeTransaction(loaded, transaction, this.#completion)
  }

  async #remove(loaded: LoadedPartition, expired: readonly Transaction[]): Promise<void> {
    for (const transaction of expired) transaction.begin()
    const outcome = await loaded.append(
      expired.map(({ metadata }) => tombstone(metadata.transactionalId)),
    )
    if (outcome === 'unloaded') return
    for (const transaction of expired) {
      const { metadata } = transaction
      if (outcome === 'durable') loaded.transactions.delete(metadata.transactionalId)
      transaction.settle(metadata)
    }
  }

  *#settledTransactions(): Iterable<Transaction> {
    for (const loaded of this.#loaded.values()) {
      for (const transaction of loaded.transactions.values()) {
        if (!transaction.changing) yield transaction
      }
    }
  }

  #repeat(intervalMs: () => number, task: () => Promise<void>): void {
    const timer = this.#ports.clock.setTimer(intervalMs(), () => {
      this.#timers.delete(timer)
      void task()
      this.#repeat(intervalMs, task)
    })
    this.#timers.add(timer)
  }
}

function hasTimedOut(
  { state, startTimestamp, timeoutMs }: TransactionMetadata,
  now: number,
): boolean {
  return state === 'Ongoing' && startTimestamp + timeoutMs < now
}

function notCoordinator(transactionalId: string): Refusal {
  return refuse('NOT_COORDINATOR', `transactional id '${transactionalId}' has another coordinator`)
}
