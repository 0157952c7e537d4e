import { ConnectionError, OffsetCommits, partitionKey } from '../../client/index.ts'
import type { CommitOptions, OffsetToCommit, TopicPartition } from '../../client/index.ts'
import { MillraceError, OptionError } from '../../errors.ts'
import type { Clock } from '../../platform/index.ts'
import type { KafkaJsConsumer, MemberPayload } from './kafkajs-api.ts'
import { within } from './kafkajs-connection.ts'
import { fromKafkaJs } from './kafkajs-errors.ts'

export interface KafkaJsCommitsParts {
  readonly clock: Clock
  readonly groupId: string
  readonly consumer: KafkaJsConsumer
  /** Another number after each rebalance. */
  readonly generation: () => number
  readonly memberId: () => string
  readonly isOurs: (partition: TopicPartition) => boolean
}

/**
 * Commits, one after another. kafkajs answers a commit that it has not made because it is stopping, and makes one under
 * another generation when it tries again: so a commit counts only when kafkajs has told of it, as this member, before the
 * next rebalance.
 */
export class KafkaJsCommits {
  readonly #parts: KafkaJsCommitsParts
  readonly #guard: OffsetCommits
  readonly #last = new Map<string, OffsetToCommit>()
  /** In whose name kafkajs has made the commit that is on its way. */
  readonly #madeAs = new Set<string>()
  #line: Promise<void> = Promise.resolve()

  constructor(parts: KafkaJsCommitsParts) {
    this.#parts = parts
    this.#guard = new OffsetCommits((offsets, signal) => this.#inLine(offsets, signal))
  }

  /** kafkajs tells of a commit. */
  made({ memberId }: MemberPayload): void {
    this.#madeAs.add(memberId)
  }

  /** Resolves when no commit is on its way. */
  idle(): Promise<void> {
    return this.#line
  }

  isCommitted(offset: OffsetToCommit): void {
    this.#guard.isCommitted(offset)
  }

  forget(partition: TopicPartition): void {
    this.#guard.forget(partition.topic, partition.partition)
    this.#last.delete(partitionKey(partition))
  }

  async commit(offsets: readonly OffsetToCommit[], options: CommitOptions): Promise<void> {
    for (const each of offsets) {
      this.#checkOurs(each)
      if (Number.isSafeInteger(each.offset) && each.offset >= 0) continue
      throw new OptionError('offset', `(${each.offset}) of ${partitionKey(each)} must be 0 or more`)
    }
    await this.#guard.set(offsets, options)
  }

  /** Commits again what was committed last, in place of what kafkajs has put there by itself. */
  async restore(partition: TopicPartition): Promise<void> {
    const last = this.#last.get(partitionKey(partition))
    if (last !== undefined) await this.#guard.set([last], { allowBackwards: true })
  }

  #inLine(offsets: readonly OffsetToCommit[], signal: AbortSignal | undefined): Promise<void> {
    const commit = this.#line.then(() => this.#make(offsets, signal))
    this.#line = commit.catch(() => undefined)
    const { clock, groupId } = this.#parts
    return within(
      clock,
      commit,
      `commit of group ${groupId}`,
      signal === undefined ? {} : { signal },
    )
  }

  async #make(offsets: readonly OffsetToCommit[], signal: AbortSignal | undefined): Promise<void> {
    const { consumer, groupId, generation, memberId } = this.#parts
    signal?.throwIfAborted()
    for (const each of offsets) this.#checkOurs(each)
    const [ofGeneration, asMember] = [generation(), memberId()]
    const wasLost = () => generation() !== ofGeneration
    const what = `commit of group ${groupId}`
    this.#madeAs.clear()
    try {
      await consumer.commitOffsets(
        offsets.map(({ topic, partition, offset, metadata }) => {
          return { topic, partition, offset: String(offset), metadata }
        }),
      )
    } catch (error) {
      if (wasLost()) throw this.#notOwned(offsets[0] as OffsetToCommit)
      throw fromKafkaJs(error, what)
    }
    if (wasLost()) throw this.#notOwned(offsets[0] as OffsetToCommit)
    if (!this.#madeAs.has(asMember)) throw new ConnectionError(`${what}: it was not made`, false)
    for (const each of offsets) {
      if (this.#parts.isOurs(each)) this.#last.set(partitionKey(each), each)
    }
  }

  #checkOurs(offset: OffsetToCommit): void {
    if (!this.#parts.isOurs(offset.heldBy ?? offset)) throw this.#notOwned(offset)
  }

  #notOwned(partition: TopicPartition): MillraceError {
    const problem = `commit: ${partitionKey(partition)} is not assigned to this consumer`
    return new MillraceError('MILLRACE_CLIENT_NOT_OWNED', problem)
  }
}
