import type { PartitionError, TopicPartition } from '../../client/index.ts'
import type { KafkaJsRecords } from './kafkajs-records.ts'

/** Where a partition goes on, as far as it is decided. */
export type ReadingTarget =
  | { readonly kind: 'committed' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'beginning' | 'end' }
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  | { readonly kind: 'ago'; readonly agoMs: number }

/** What can be told of a partition that kafkajs reads on. */
export interface PlaceInLog {
  readonly offset: number
  readonly highWatermark: number
}

/**
 * A partition that the group has given to this member.
 *
 * - **starting**: the application is told of it.
 * - **seeking**: where it goes on is looked up, unless it is paused; kafkajs does not fetch it.
 * - **reading**: kafkajs fetches it from `fetchOffset`.
 * - **failed**: it cannot be read on, until it is sought elsewhere.
 * - **gone**: it is not ours any more.
 *
 * What kafkajs has fetched waits here until it is polled. While it waits, either kafkajs is held (its handler has not
 * answered yet) or it was told not to fetch the partition: so little waits, whatever the application does.
 */
export class PartitionReading implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** By the application. */
  paused = false
  /** What kafkajs was told. */
  isFetched = false
  highWatermark = -1
  #state: 'starting' | 'seeking' | 'reading' | 'failed' | 'gone' = 'starting'
  #target: ReadingTarget = { kind: 'committed' }
  #seekCount = 0
  #fetchOffset: number | undefined
  #recheckedOffset: number | undefined
  #error: PartitionError | undefined
  #waiting: KafkaJsRecords[] = []
  #isHeld = false
  #letGo: (() => void) | undefined

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  is(state: 'starting' | 'seeking' | 'reading' | 'failed' | 'gone'): boolean {
    return this.#state === state
  }

  get target(): ReadingTarget {
    return this.#target
  }

  /** Grows with each seek, so that what was looked up for an earlier one is not used. */
  get seekCount(): number {
    return this.#seekCount
  }

  get error(): PartitionError | undefined {
    return this.#error
  }

  /** Whether its error is to be told again and again. */
  get isStanding(): boolean {
    return this.#state === 'failed' && !this.paused
  }

  /** From where kafkajs fetches next; undefined while that is not known. */
  get fetchOffset(): number | undefined {
    return this.#fetchOffset
  }

  /** What is handed out next; undefined while that is not known. */
  get position(): number | undefined {
    return this.#waiting[0]?.firstOffset ?? this.#fetchOffset
  }

  get hasRecords(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether kafkajs may fetch it now. */
  get mayFetch(): boolean {
    return this.#state === 'reading' && !this.paused && (this.#isHeld || !this.hasRecords)
  }

  /** The application wants to go on elsewhere, or it is time to begin. */
  seek(target: ReadingTarget): void {
    this.#recheckedOffset = undefined
    this.#waiting = []
    this.#lookUp(target)
  }

  /** Nobody has said where it begins. */
  begin(): void {
    if (this.#state === 'starting') this.#lookUp(this.#target)
  }

  /**
   * kafkajs is somewhere else than where it should be. It is sent back once; when it comes there again, nothing is left
   * to be read in between.
   */
  recheck(foundOffset: number): void {
    const offset = this.#fetchOffset
    if (offset === undefined) return
    const isAgain = this.#recheckedOffset === offset
    this.#recheckedOffset = isAgain ? undefined : offset
    const isAhead = isAgain && foundOffset > offset
    this.#lookUp({ kind: 'offset', offset: isAhead ? foundOffset : offset })
  }

  /** Where it goes on has been looked up. */
  found({ offset, highWatermark }: PlaceInLog): void {
    this.#state = 'reading'
    this.#fetchOffset = offset
    this.highWatermark = highWatermark
  }

  fail(error: PartitionError): void {
    this.#state = 'failed'
    this.#error = error
    this.#release()
  }

  leave(): void {
    this.#state = 'gone'
    this.#waiting = []
    this.#release()
  }

  /** There is nothing to be read up to `nextOffset`. */
  passOver(nextOffset: number): void {
    this.#fetchOffset = nextOffset
  }

  push(records: KafkaJsRecords): void {
    this.#waiting.push(records)
    this.#fetchOffset = records.nextOffset
    this.#recheckedOffset = undefined
    this.highWatermark = Math.max(this.highWatermark, records.highWatermark)
  }

  /** At most `countMax` records of what waits. */
  take(countMax: number): KafkaJsRecords | undefined {
    const first = this.#waiting.shift()
    if (first === undefined) return undefined
    const [taken, rest] = first.split(countMax)
    if (rest !== undefined) this.#waiting.unshift(rest)
    if (!this.hasRecords) this.#release()
    return taken
  }

  setPaused(paused: boolean): void {
    this.paused = paused
    if (paused) this.#release()
  }

  /** Whether the handler of kafkajs is to wait until what it brought is polled. */
  get shouldHold(): boolean {
    return this.#state === 'reading' && !this.paused && this.hasRecords
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Resolves when nothing has to be held any more. */
  hold(): Promise<void> {
    if (!this.shouldHold) return Promise.resolve()
    this.#isHeld = true
    return new Promise((resolve) => {
      this.#letGo = resolve
    })
  }

  letGo(): void {
    this.#release()
  }

  #lookUp(target: ReadingTarget): void {
    this.#state = 'seeking'
    this.#target = target
    this.#seekCount++
    this.#error = undefined
    if (!this.hasRecords) this.#fetchOffset = undefined
    this.#release()
  }

  #release(): void {
    this.#isHeld = false
    this.#letGo?.()
    this.#letGo = undefined
  }
}
