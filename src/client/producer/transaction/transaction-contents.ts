import type { CommittedOffset } from '../../consumer/group-member.ts'
import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import { PartitionEnrolment } from './partition-enrolment.ts'
import type { TransactionOutcome } from './transaction-coordinator.ts'
import { Turns } from './turns.ts'

/** Whether the coordinator has a transaction open for us. */
export type Openness = 'no' | 'maybe' | 'certainly'

/** What one transaction has in it, as far as the coordinators may know, and the calls that put it there. */
export class TransactionContents {
  readonly enrolment: PartitionEnrolment
  /** Commits of offsets, of all groups: two that overlap could change places. */
  readonly offsetTurns = new Turns()
  /** Groups whose offsets were announced (TV1). */
  readonly groups = new Set<string>()
  /** Ends what its calls wait for, because the transaction is being aborted. */
  readonly stop = new AbortController()
  readonly beganAtMs: number
  /** Resolves when the transaction before is over for all brokers (TV2); undefined until something asks. */
  markersWritten: Promise<void> | undefined
  #openness: Openness = 'no'
  #commitRefused = false
  readonly #askedFor = new Set<TransactionOutcome>()
  readonly #calls = new Set<Promise<unknown>>()
  readonly #unansweredOffsets = new Map<string, number>()

  constructor(
    beganAtMs: number,
    addPartitions: (added: readonly TopicPartition[]) => Promise<void>,
  ) {
    this.beganAtMs = beganAtMs
    this.enrolment = new PartitionEnrolment(addPartitions)
  }

  get openness(): Openness {
    return this.#openness
  }

  /** Whether the coordinator has said that this transaction was not committed, and why it should not be. */
  get commitRefused(): boolean {
    return this.#commitRefused
  }

  mayBeOpen(): void {
    if (this.#openness === 'no') this.#openness = 'maybe'
  }

  isOpen(): void {
    this.#openness = 'certainly'
  }

  commitWasRefused(): void {
    this.#commitRefused = true
  }

  /** EndTxn was sent and not answered: from here on only the same outcome may be asked for. */
  wasAskedFor(outcome: TransactionOutcome): void {
    this.#askedFor.add(outcome)
  }

  hasBeenAskedFor(outcome: TransactionOutcome): boolean {
    return this.#askedFor.has(outcome)
  }

  /** Remembers a call until it has ended. */
  track<Result>(call: Promise<Result>): Promise<Result> {
    const ended: Promise<unknown> = call.catch(() => undefined)
    this.#calls.add(ended)
    void ended.then(() => this.#calls.delete(ended))
    return call
  }

  /** Resolves when all calls have ended, well or not. */
  async callsEnded(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls)
  }

  /** A commit of these offsets was not answered, and may still arrive. */
  offsetsUnanswered(groupId: string, offsets: readonly CommittedOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      this.#unansweredOffsets.set(`${groupId}/${partitionKey({ topic, partition })}`, offset)
    }
  }

  /** An offset that another one, which was not answered and may arrive after it, would undo. */
  findEndangered(
    groupId: string,
    offsets: readonly CommittedOffset[],
  ): CommittedOffset | undefined {
    return offsets.find(({ topic, partition, offset }) => {
      const unanswered = this.#unansweredOffsets.get(
        `${groupId}/${partitionKey({ topic, partition })}`,
      )
      return unanswered !== undefined && unanswered !== offset
    })
  }
}
