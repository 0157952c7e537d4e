/** No event was seen. */
export const noTime = -1

export interface TimeFacts {
  readonly joinTime: number
  /** Of each input, and of each source of it. */
  readonly highest: readonly (readonly number[])[]
}

export interface TaskTimeOptions {
  /**
   * Of each input, how many logs its records come from, each in an order of its own: one, but for what was written again under
   * another key.
   */
  readonly sourceCounts: readonly number[]
  /** A source that has been read to its end for so long holds time back no more. */
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

/** A log that records of an input come from. */
interface TimeSource {
  /** The highest event time that was seen of it. */
  highest: number
  /** How far it is known to have come by other ways than its records. */
  told: number
  /** Since when it is at its end; undefined while it is not. */
  atEndSince: number | undefined
}

/**
 * The time of a task: the lowest of the highest event times of the sources of its inputs. It never goes back. A source that has
 * nothing for a while holds it back no more; when all have nothing, it follows the clock, as far as what was seen can need it.
 *
 * By records alone it moves the same way whenever they are taken in the same order; what else is known of sources counts as the
 * clock does.
 */
export class TaskTime {
  readonly #options: TaskTimeOptions
  readonly #inputs: readonly TimeSource[][]
  #joinTime = noTime

  constructor(options: TaskTimeOptions, facts?: TimeFacts) {
    this.#options = options
    this.#inputs = options.sourceCounts.map((count, input) => {
      const known = facts?.highest[input] ?? []
      const length = Math.max(count, known.length)
      return Array.from({ length }, (_, source) => newSource(known[source]))
    })
    this.#joinTime = facts?.joinTime ?? noTime
  }

  get joinTime(): number {
    return this.#joinTime
  }

  get facts(): TimeFacts {
    const highest = this.#inputs.map((sources) => sources.map((source) => source.highest))
    return { joinTime: this.#joinTime, highest }
  }

  /** To what the time comes by an event of a source of an input. */
  timeWith(input: number, source: number, time: number): number {
    const own = this.#sourceOf(input, source)
    if (time <= own.highest) return this.#joinTime
    let lowest = time
    for (const sources of this.#inputs) {
      for (const each of sources) {
        if (each !== own && each.highest < lowest) lowest = each.highest
      }
    }
    return Math.max(this.#joinTime, lowest)
  }

  /** An event of a source was taken. */
  saw(input: number, source: number, time: number): void {
    const own = this.#sourceOf(input, source)
    own.atEndSince = undefined
    this.moveTo(this.timeWith(input, source, time))
    own.highest = Math.max(time, own.highest)
  }

  /** All records of a source up to this event time were taken: those of others came in between, or none. */
  told(input: number, source: number, time: number): void {
    const own = this.#sourceOf(input, source)
    own.told = Math.max(time, own.told)
  }

  /** Sources of an input have been read to their end, and all of it was taken; or there is more to come. */
  setAtEnd(input: number, isAtEnd: (source: number) => boolean, elapsedMs: number): void {
    this.#inputs[input]?.forEach((each, source) => {
      if (!isAtEnd(source)) each.atEndSince = undefined
      else each.atEndSince ??= elapsedMs
    })
  }

  /**
   * To what the time comes by the clock: where sources had nothing for long enough, and something waits for a time that is passed by
   * it. Undefined where it stays.
   */
  timeByClock({ now, elapsedMs, wanted }: ClockFacts): number | undefined {
    const { idleAfterMs, horizonMs } = this.#options
    let lowest = Infinity
    let highest = noTime
    for (const sources of this.#inputs) {
      for (const { highest: seen, told, atEndSince } of sources) {
        highest = Math.max(highest, seen)
        const isIdle = atEndSince !== undefined && elapsedMs - atEndSince >= idleAfterMs
        if (!isIdle) lowest = Math.min(lowest, Math.max(seen, told))
      }
    }
    if (highest === noTime) return undefined
    const areAllIdle = lowest === Infinity
    const time = areAllIdle ? Math.min(now, highest + horizonMs + 1) : lowest
    return time > wanted && time > this.#joinTime ? time : undefined
  }

  /** It is never lowered. */
  moveTo(time: number): void {
    this.#joinTime = Math.max(this.#joinTime, time)
  }

  /** One that nobody has announced is new: a topic has got more partitions. */
  #sourceOf(input: number, source: number): TimeSource {
    const sources = this.#inputs[input] as TimeSource[]
    while (sources.length <= source) sources.push(newSource())
    return sources[source] as TimeSource
  }
}

function newSource(highest = noTime): TimeSource {
  return { highest, told: noTime, atEndSince: undefined }
}
