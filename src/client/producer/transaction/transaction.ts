import { MillraceError, OptionError } from '../../../errors.ts'
import type { CommittedOffset, GroupMetadata } from '../../consumer/group-member.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { ProducerRecord } from '../producer-record.ts'
import type { RecordResult, RecordResults } from '../record-results.ts'
import type { RecordSender, SendOptions } from '../record-sender.ts'
import type { TransactionSession } from './transaction-session.ts'

/** An offset to be committed; its leader epoch and metadata may be left out. */
export interface TransactionOffset extends TopicPartition {
  /** The offset of the next record to be read. */
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

/**
 * One transaction: what is sent in it, and the offsets, take effect together when `commit` resolves, or not at
 * all. Calls may overlap. Failures are `TransactionError`s, whose `action` says what to do.
 */
export class Transaction {
  readonly #session: TransactionSession
  readonly #sender: RecordSender
  #endedAs: 'committed' | 'aborted' | undefined

  constructor(session: TransactionSession, sender: RecordSender) {
    this.#session = session
    this.#sender = sender
  }

  /** Whether it was committed or aborted. */
  get isOver(): boolean {
    return this.#endedAs !== undefined
  }

  /**
   * Sends a record; resolves when it is written, which readers of committed records see after the commit. A
   * record that fails makes the commit fail, also if nobody awaited it.
   */
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordResult>
  /** Sends any number of records to any topics; resolves when all are written. */
  send(records: readonly ProducerRecord[], options?: SendOptions): Promise<RecordResults>
  send(
    records: ProducerRecord | readonly ProducerRecord[],
    options?: SendOptions,
  ): Promise<RecordResult | RecordResults> {
    return this.#withinIt<RecordResult | RecordResults>(() =>
      isList(records)
        ? this.#sender.sendAll(records, options)
        : this.#sender.send(records, options),
    )
  }

  /**
   * Commits offsets of a group with the transaction: the next one to be read, for each partition that was read
   * from. `group` is what the consumer's `groupMetadata` answered when the records were handed out; a member that
   * has lost its place in the group since then is refused. Asked for later, it could be of a generation in which the
   * partitions came back after another member had worked on them.
   */
  sendOffsets(group: GroupMetadata, offsets: readonly TransactionOffset[]): Promise<void> {
    return this.#withinIt(() => this.#session.sendOffsets({ ...group }, offsets.map(fullOffset)))
  }

  /**
   * Makes everything that was sent in it count. After an error with `action` `'retry'` only `commit` may be called,
   * until it is known what became of it.
   */
  async commit(): Promise<void> {
    this.#throwIfOver()
    await this.#session.commit(() => this.#sender.flush())
    this.#endedAs = 'committed'
  }

  /** Makes nothing that was sent in it count. */
  async abort(): Promise<void> {
    this.#throwIfOver()
    await this.#session.abort((reason) => {
      this.#sender.discard(reason)
      return this.#sender.flush()
    })
    this.#endedAs = 'aborted'
  }

  /**
   * The commit fails with what a call failed with: who does not look at single records misses nothing, and is
   * not told of a rejection that nobody handles.
   */
  #withinIt<Result>(call: () => Promise<Result>): Promise<Result> {
    let result: Promise<Result>
    try {
      this.#throwIfOver()
      this.#session.expectOpen()
      result = call()
    } catch (error) {
      const refusal = error as Error
      return Promise.reject(refusal)
    }
    const watched: Promise<Result> = result.catch((error: unknown) => {
      watched.catch(() => undefined)
      throw this.#session.fail('Produce', error)
    })
    return watched
  }

  #throwIfOver(): void {
    if (this.#endedAs === undefined) return
    const message = `transaction of '${this.#session.transactionalId}' was ${this.#endedAs}: begin another`
    throw new MillraceError('MILLRACE_CLIENT_STATE_INVALID', message)
  }
}

function fullOffset(given: TransactionOffset): CommittedOffset {
  const { topic, partition, offset, leaderEpoch = -1, metadata = '' } = given
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new OptionError('offset', `(${offset}) of ${topic}-${partition} must be 0 or more`)
  }
  return { topic, partition, offset, leaderEpoch, metadata }
}

function isList(
  records: ProducerRecord | readonly ProducerRecord[],
): records is readonly ProducerRecord[] {
  return Array.isArray(records)
}
