import type { Clock } from '../../platform/index.ts'
import type { LatestTime } from '../latest-time.ts'
import { Queue } from './queue.ts'

/** The event loop gets its turn so often. */
const turnMs = 10

/** A partition, as far as it waits for its turn. */
export interface TurnTaker {
  /** Whether something of it may run now. */
  readonly hasReady: boolean
  /**
   * Runs what is next; it has taken a slot, if it needs one for longer than the call, when this returns. Answers whether
   * there is more.
   */
  runNext(): boolean
}

/**
 * Who runs next: partitions take turns, so that none waits because another has more to do, and at most `slots`
 * records run at once. Running something may end it at once and make something else ready; that is taken up in the
 * same loop, however deep the chain.
 */
export class Turns {
  readonly slots: number
  readonly #clock: Clock
  readonly #time: LatestTime
  #taken = 0
  /** While somebody holds it, nothing starts. */
  #holds = 0
  #idle: (() => void)[] = []
  #isRunning = false
  readonly #queue = new Queue<TurnTaker>()
  readonly #queued = new Set<TurnTaker>()

  constructor(clock: Clock, time: LatestTime, slots: number) {
    this.#clock = clock
    this.#time = time
    this.slots = slots
  }

  get taken(): number {
    return this.#taken
  }

  /** Whether a record that has just been read may run before it waits in line: nobody else is in it. */
  get isOpen(): boolean {
    return this.#mayRun() && this.#queue.size === 0
  }

  /** Resolves when nothing runs. */
  async untilIdle(): Promise<void> {
    while (this.#taken > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  take(): void {
    this.#taken++
  }

  release(): void {
    this.#taken--
    if (this.#taken === 0 && this.#idle.length > 0) {
      for (const resolve of this.#idle.splice(0)) resolve()
    }
    this.run()
  }

  /** Something of this partition has become ready. */
  offer(taker: TurnTaker): void {
    if (this.#queued.has(taker)) return
    this.#queued.add(taker)
    this.#queue.push(taker)
    this.run()
  }

  hold(): void {
    this.#holds++
  }

  letGo(): void {
    this.#holds--
    this.run()
  }

  #mayRun(): boolean {
    return this.#holds === 0 && this.#taken < this.slots
  }

  /** Runs what may run now. */
  run(): void {
    if (this.#isRunning || this.#queue.size === 0) return
    this.#isRunning = true
    const untilMs = this.#time.ask() + turnMs
    try {
      while (this.#mayRun()) {
        const taker = this.#queue.shift()
        if (taker === undefined) return
        if (this.#time.isPast(untilMs)) {
          this.#queue.push(taker)
          this.#clock.defer(() => this.run())
          return
        }
        this.#queued.delete(taker)
        if (!taker.hasReady) continue
        const hasMore = taker.runNext()
        if (hasMore && !this.#queued.has(taker)) {
          this.#queued.add(taker)
          this.#queue.push(taker)
        }
      }
    } finally {
      this.#isRunning = false
    }
  }
}
