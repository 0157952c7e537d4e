import type { Clock, Timer } from '../../platform/index.ts'

export interface Rate {
  readonly perSecond: number
  /** How many may come at once after a pause. */
  readonly burst: number
}

/** As much of a permit is lost to rounding at most. */
const rounding = 1e-6
/** A pause so short that adding it to a time changes nothing would be no pause. */
const pauseMsMin = 0.01

/**
 * Permits that come at a rate, up to so many at a time; who waits for one gets it in turn. In any time there are no
 * more of them than the rate allows in that time, and a burst.
 */
export class RateLimiter {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #burst: number
  #permits: number
  #countedAtMs: number
  /** Those who wait, the first one first. */
  readonly #waiting = new Set<() => void>()
  #timer: Timer | undefined

  constructor(clock: Clock, { perSecond, burst }: Rate) {
    this.#clock = clock
    this.#perMs = perSecond / 1_000
    this.#burst = burst
    this.#permits = burst
    this.#countedAtMs = clock.elapsedMs()
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** Takes a permit if there is one, and nobody waits for it. */
  tryTake(): boolean {
    return this.#waiting.size === 0 && this.#take()
  }

  /** Resolves with a permit; rejects with the signal's reason, and takes none, when the signal aborts before. */
  take(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(pass)
        reject(signal.reason as Error)
      }
      const pass = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      if (signal.aborted) {
        leave()
        return
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.add(pass)
      this.#timer ??= this.#arm()
    })
  }

  #take(): boolean {
    const nowMs = this.#clock.elapsedMs()
    const come = (nowMs - this.#countedAtMs) * this.#perMs
    this.#permits = Math.min(this.#burst, this.#permits + come)
    this.#countedAtMs = nowMs
    if (this.#permits < 1 - rounding) return false
    this.#permits = Math.max(0, this.#permits - 1)
    return true
  }

  /** One timer, for when the next permit comes. */
  #arm(): Timer {
    const pauseMs = Math.max((1 - this.#permits) / this.#perMs, pauseMsMin)
    return this.#clock.setTimer(pauseMs, () => {
      this.#timer = undefined
      for (const pass of this.#waiting) {
        if (!this.#take()) break
        this.#waiting.delete(pass)
        pass()
      }
      if (this.#waiting.size > 0) this.#timer = this.#arm()
    })
  }
}
