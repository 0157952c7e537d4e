/** A record that was found in the target. */
export interface FoundCopy {
  readonly key: string
  readonly number: number
}

/** What became of the numbered records of a trial. */
export interface ChaosVerdict {
  readonly records: number
  /** Numbers of which there is no copy. */
  readonly missing: number
  /** Copies beyond the first of each number. */
  readonly duplicated: number
  /** Numbers whose first copy comes behind that of a later number of the same key. */
  readonly outOfOrder: number
}

/** Judges from outside: `copies` as they lie in the target, partition by partition; numbers 0 to `records` were written. */
export function judgeCopies(records: number, copies: readonly FoundCopy[]): ChaosVerdict {
  const seen = new Set<number>()
  const latest = new Map<string, number>()
  let outOfOrder = 0
  for (const { key, number } of copies) {
    if (seen.has(number)) continue
    seen.add(number)
    const last = latest.get(key) ?? -1
    if (number < last) outOfOrder++
    latest.set(key, Math.max(last, number))
  }
  const duplicated = copies.length - seen.size
  return { records, missing: records - seen.size, duplicated, outOfOrder }
}

/** How long nothing new came although something was left to do: the longest of such times. */
export class StallClock {
  #lastMs: number
  #longestMs = 0

  constructor(nowMs: number) {
    this.#lastMs = nowMs
  }

  /** Says how many copies are new, and whether anything is left to be copied. */
  looked(nowMs: number, fresh: number, isLeft: boolean): void {
    if (isLeft || fresh > 0) this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs)
    if (fresh > 0 || !isLeft) this.#lastMs = nowMs
  }

  /** For how long nothing has come until now. */
  standingMs(nowMs: number): number {
    return nowMs - this.#lastMs
  }

  get longestMs(): number {
    return this.#longestMs
  }
}
