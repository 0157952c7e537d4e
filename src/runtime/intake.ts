import type { SourceRecord } from '../driver/index.ts'
import type { Clock } from '../platform/index.ts'
import type { LaneTable } from './lanes/lane-table.ts'
import type { LatestTime } from './latest-time.ts'
import type { PartitionInput } from './partition-input.ts'

/** What an intake has to do with. */
export interface IntakeParts {
  readonly clock: Clock
  readonly time: LatestTime
  readonly input: PartitionInput
  readonly lanes: LaneTable
  /** The most records that wait in lanes, and the most bytes of them. */
  readonly waitingMax: number
  readonly waitingBytesMax: number
  /** Whether anything of the partition may begin to run. */
  readonly isOpen: () => boolean
  /** Whether reading is held up for some other reason than what waits here. */
  readonly isHeld: () => boolean
  /** How many records were taken and have not ended. */
  readonly openCount: () => number
  /** Whether the ledger lets a record begin. */
  readonly mayStart: (offset: number) => boolean
  /** The ledger does not let the next record begin. */
  readonly blocked: () => void
  /** Puts a record into its lane, or runs it. */
  readonly accept: (record: SourceRecord) => void
  /** There is no room for more, or there is again. */
  readonly full: (isFull: boolean) => void
  /** What was read cannot be taken. */
  readonly failed: (error: unknown) => void
}

/** The event loop gets its turn so often. */
const turnMs = 10

/**
 * After so many records that did not end at once the others wait a turn: promises that are about to settle do, and what comes
 * behind them finds its lanes free.
 */
const begunMax = 64

/**
 * Puts what was read of one partition into its lanes, as far as there is room: in the order of offsets, each at once.
 * What does not fit waits as it was read, and no more is read meanwhile.
 */
export class Intake {
  readonly #parts: IntakeParts
  #isFull = false
  #isTaking = false
  /** It has let others go first, and goes on behind them. */
  #isDeferred = false

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  get isFull(): boolean {
    return this.#isFull
  }

  take(): void {
    if (this.#isTaking || this.#isDeferred) return
    this.#isTaking = true
    const { time, input, isOpen, isHeld, openCount, accept, failed } = this.#parts
    time.setInRow(true)
    try {
      const untilMs = time.ask() + turnMs
      const openMax = openCount() + begunMax
      while (isOpen()) {
        const record = input.peek()
        if (record === undefined) break
        // Handlers that answer at once must not keep heartbeats and timers waiting.
        if (time.isPast(untilMs) || openCount() >= openMax) {
          this.#defer()
          return
        }
        if (!this.#hasRoomFor(record)) {
          this.setFull(true)
          return
        }
        input.taken()
        accept(record)
      }
      // What may not start is not read on either, or its backlog would come into memory.
      this.setFull(input.waiting !== undefined || isHeld())
    } catch (error) {
      failed(error)
    } finally {
      time.setInRow(false)
      this.#isTaking = false
    }
  }

  #defer(): void {
    this.#isDeferred = true
    // Else more would be read in each turn than is taken in one.
    if (this.#parts.input.hasMore) this.setFull(true)
    this.#parts.clock.defer(() => {
      this.#isDeferred = false
      this.take()
    })
  }

  /** Something has ended or begun to run: there may be room for more. */
  makeRoom(): void {
    const { input, lanes, waitingMax } = this.#parts
    if (this.#isTaking || input.waiting === undefined) return
    if (lanes.waitingCount * 2 <= waitingMax) this.take()
  }

  setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return
    this.#isFull = isFull
    this.#parts.full(isFull)
  }

  #hasRoomFor({ offset, sizeInBytes }: SourceRecord): boolean {
    const { lanes, mayStart, blocked, waitingMax, waitingBytesMax } = this.#parts
    if (!mayStart(offset)) {
      blocked()
      return false
    }
    if (lanes.waitingCount >= waitingMax) return false
    return lanes.waitingBytes === 0 || lanes.waitingBytes + sizeInBytes <= waitingBytesMax
  }
}
