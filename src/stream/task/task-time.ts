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

  /** To what the time comes by an event of an input. */
  timeWith(input: number, time: number): number {
    if (time <= (this.#highest[input] as number)) return this.#joinTime
    let lowest = time
    this.#highest.forEach((each, other) => {
      if (other !== input) lowest = Math.min(lowest, each)
    })
    return Math.max(this.#joinTime, lowest)
  }

  /** An event of an input was taken. */
  saw(input: number, time: number): void {
    this.#atEndSince[input] = undefined
    this.moveTo(this.timeWith(input, time))
    this.#highest[input] = Math.max(time, this.#highest[input] as number)
  }

  /** An input has been read to its end, and all of it was taken; or there is more to come. */
  setAtEnd(input: number, isAtEnd: boolean, elapsedMs: number): void {
    if (!isAtEnd) this.#atEndSince[input] = undefined
    else this.#atEndSince[input] ??= elapsedMs
  }

  /**
   * To what the time comes by the clock: where inputs had nothing for long enough, and something waits for a time that is passed by
   * it. Undefined where it stays.
   */
  timeByClock({ now, elapsedMs, wanted }: ClockFacts): number | undefined {
    const { idleAfterMs, horizonMs } = this.#options
    let lowest = Infinity
    let highest = noTime
    this.#highest.forEach((time, input) => {
      highest = Math.max(highest, time)
      const since = this.#atEndSince[input]
      if (since === undefined || elapsedMs - since < idleAfterMs) lowest = Math.min(lowest, time)
    })
    if (highest === noTime) return undefined
    const areAllIdle = lowest === Infinity
    const time = areAllIdle ? Math.min(now, highest + horizonMs + 1) : lowest
    return time > wanted && time > this.#joinTime ? time : undefined
  }

  /** It is never lowered. */
  moveTo(time: number): void {
    this.#joinTime = Math.max(this.#joinTime, time)
  }
}
