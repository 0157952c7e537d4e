import type { Clock, Timer } from '../../../platform/index.ts'

export interface HeartbeatTimerOptions {
  readonly clock: Clock
  readonly intervalMs: () => number
  /** Never rejects. The next beat comes after it has ended. */
  readonly beat: () => Promise<void>
  /** The timer fired so much too late: something has kept the thread from running. */
  readonly late: (lateMs: number) => void
}

/**
 * Beats in intervals, whatever else goes on in the process: it waits for nobody but the beat itself.
 * It is **stopped**, **waiting** for its timer, or **beating**.
 */
export class HeartbeatTimer {
  readonly #options: HeartbeatTimerOptions
  #timer: Timer | undefined
  #dueMs = Infinity
  #isBeating = false
  #isRunning = false
  /** Changes with each stop: a beat that is still under way then belongs to nobody. */
  #run = 0
  #soonMs: number | undefined

  constructor(options: HeartbeatTimerOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#arm(this.#options.intervalMs())
  }

  stop(): void {
    this.#isRunning = false
    this.#isBeating = false
    this.#run += 1
    this.#soonMs = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Beats in `delayMs` at the latest; while a beat is under way, so long after it. */
  beatWithin(delayMs: number): void {
    if (!this.#isRunning) return
    if (this.#isBeating) {
      this.#soonMs = Math.min(this.#soonMs ?? Infinity, delayMs)
    } else if (this.#options.clock.elapsedMs() + delayMs < this.#dueMs) {
      this.#arm(delayMs)
    }
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    this.#dueMs = this.#options.clock.elapsedMs() + delayMs
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#fire())
  }

  async #fire(): Promise<void> {
    const { clock, beat, intervalMs, late } = this.#options
    const startedMs = clock.elapsedMs()
    const run = this.#run
    late(startedMs - this.#dueMs)
    this.#isBeating = true
    this.#dueMs = Infinity
    await beat()
    // It was stopped meanwhile, and perhaps started again: the beats of now would overlap.
    if (run !== this.#run) return
    this.#isBeating = false
    const nextMs = Math.max(0, startedMs + intervalMs() - clock.elapsedMs())
    const delayMs = Math.min(nextMs, this.#soonMs ?? Infinity)
    this.#soonMs = undefined
    this.#arm(delayMs)
  }
}
