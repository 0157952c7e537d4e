/** No event was seen. */
export const noTime = -1

export interface TimeFacts {
  readonly joinTime: number
  /** Of each input. */
  readonly highest: readonly number[]
}

export interface TaskTimeOptions {
  readonly inputCount: number
  /** An input that has been read to its end for so long holds time back no more. */
  readonly idleAfterMs: number
  /** How far behind the highest event time what the task remembers can end. */
  readonly horizonMs: number
}

/** What the clock says, and who waits for it. */
export interface ClockFacts {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Milliseconds that only grow. */
  readonly elapsedMs: number
  /** The first time that something waits to be passed. */
  readonly wanted: number
}

/**
 * The time of a task: the lowest of the highest event times of its inputs. It never goes back. An input that has nothing for a
 * while holds it back no more; when all have nothing, it follows the clock, as far as what was seen can need it.
 */
export class TaskTime {
  readonly #options: TaskTimeOptions
  readonly #highest: number[]
  /** Since when an input is at its end; undefined while it is not. */
  readonly #atEndSince: (number | undefined)[]
  #joinTime = noTime

  constructor(options: TaskTimeOptions, facts?: TimeFacts) {
    this.#options = options
    const inputs = { length: options.inputCount }
    this.#highest = Array.from(inputs, (_, input) => facts?.highest[input] ?? noTime)
    this.#atEndSince = Array.from(inputs, () => undefined)
    this.#joinTime = facts?.joinTime ?? noTime
  }

  get joinTime(): number {
    return this.#joinTime
  }

  get facts(): TimeFacts {
    return { joinTime: this.#joinTime, highest: [...this.#highest] }
  }

  /** An event of an input was taken. Answers whether the time has moved. */
  saw(input: number, time: number): boolean {
    this.#atEndSince[input] = undefined
    if (time <= (this.#highest[input] as number)) return false
    this.#highest[input] = time
    return this.#moveTo(Math.min(...this.#highest))
  }

  /** An input has been read to its end, and all of it was taken; or there is more to come. */
  setAtEnd(input: number, isAtEnd: boolean, elapsedMs: number): void {
    if (!isAtEnd) this.#atEndSince[input] = undefined
    else this.#atEndSince[input] ??= elapsedMs
  }

  /**
   * Moves the time by the clock, if inputs had nothing for long enough and something waits for a time that is passed by it.
   * Answers whether it has moved.
   */
  followClock({ now, elapsedMs, wanted }: ClockFacts): boolean {
    const { idleAfterMs, horizonMs } = this.#options
    let lowest = Infinity
    let highest = noTime
    this.#highest.forEach((time, input) => {
      highest = Math.max(highest, time)
      const since = this.#atEndSince[input]
      if (since === undefined || elapsedMs - since < idleAfterMs) lowest = Math.min(lowest, time)
    })
    if (highest === noTime) return false
    const areAllIdle = lowest === Infinity
    const time = areAllIdle ? Math.min(now, highest + horizonMs + 1) : lowest
    return time > wanted && this.#moveTo(time)
  }

  #moveTo(time: number): boolean {
    if (time <= this.#joinTime) return false
    this.#joinTime = time
    return true
  }
}
