import type { RetryShape } from './shape.ts'
import { places } from './shape.ts'

/** What a handler makes of a record: `mends` when it runs in the last of the retry topics. */
export type RecordKind = 'plain' | 'bad' | 'mends' | 'refused'

interface Run {
  readonly place: number
  readonly beganMs: number
  outcome: 'done' | 'failed' | 'aborted' | undefined
  endedMs: number
}

/** Clocks tell whole milliseconds. */
const roundingMs = 1

/**
 * Holds what handlers ran, and the letters that were found in the end, against what is promised of retry topics: as many
 * attempts in each place as are owed, no copy before its time, and every record done or a letter.
 */
export class RetryJudge {
  readonly #shape: RetryShape
  readonly #runs = new Map<string, Run[]>()
  /** By value: how many letters there are, and how many of records that were taken to kill their process. */
  readonly #letters = new Map<string, number>()
  readonly #poison = new Set<string>()

  constructor(shape: RetryShape) {
    this.#shape = shape
  }

  written(value: string): void {
    this.#runs.set(value, [])
  }

  begins(value: string, topic: string, beganMs: number): Run {
    const place = places.findIndex(({ name }) => name === topic)
    const run: Run = { place, beganMs, outcome: undefined, endedMs: Infinity }
    this.#runs.get(value)?.push(run)
    return run
  }

  ends(run: Run, outcome: NonNullable<Run['outcome']>, endedMs: number): void {
    run.outcome = outcome
    run.endedMs = endedMs
  }

  lettered(value: string, isPoison: boolean): void {
    if (isPoison) this.#poison.add(value)
    else this.#letters.set(value, (this.#letters.get(value) ?? 0) + 1)
  }

  get figures(): Readonly<Record<string, number>> {
    const runs = [...this.#runs.values()].flat()
    const inRetryTopics = runs.filter(({ place }) => place > 0).length
    const letters = [...this.#letters.values()].reduce((sum, count) => sum + count, 0)
    return { runs: runs.length, inRetryTopics, letters, poison: this.#poison.size }
  }

  /** What does not hold. */
  problems(): string[] {
    const found = [...this.#runs].flatMap(([value, runs]) => [
      ...this.#problemsOfEnd(value, runs),
      ...this.#problemsOfTime(value, runs),
      ...(this.#shape.isCalm ? this.#problemsOfCount(value, runs) : []),
    ])
    const strangers = [...this.#letters.keys(), ...this.#poison]
    for (const value of strangers) if (!this.#runs.has(value)) found.push(`a letter of '${value}'`)
    return found
  }

  /** Done or a letter, and which of both. */
  #problemsOfEnd(value: string, runs: readonly Run[]): string[] {
    const kind = kindOf(value)
    const isDone = runs.some(({ outcome }) => outcome === 'done')
    const isLettered = this.#letters.has(value)
    if (this.#poison.has(value)) {
      return this.#shape.isCalm ? [`'${value}' is in the poison topic`] : []
    }
    if (!isDone && !isLettered) return [`'${value}' was lost`]
    if (!isLettered) return kind === 'bad' || kind === 'refused' ? [`'${value}' has no letter`] : []
    if (kind === 'refused') return []
    if (kind === 'mends') return [`'${value}' has a letter, and would be mended`]
    return places.flatMap(({ name }, place) => {
      const failures = failuresIn(runs, place).length
      return failures >= this.#shape.attempts
        ? []
        : [`'${value}' has a letter, and failed ${failures} times in ${name}`]
    })
  }

  /** A copy is written when the attempts of the place before are spent, and runs when its delay is over. */
  #problemsOfTime(value: string, runs: readonly Run[]): string[] {
    return places.flatMap(({ name, delayMs }, place) => {
      const [first] = runs.filter((run) => run.place === place)
      if (place === 0 || first === undefined) return []
      const spent = failuresIn(runs, place - 1)[this.#shape.attempts - 1]
      if (spent === undefined) return [`'${value}' runs in ${name} too early: attempts are left`]
      const dueMs = spent.endedMs + delayMs - roundingMs
      if (first.beganMs >= dueMs) return []
      return [`'${value}' runs in ${name} ${Math.round(dueMs - first.beganMs)} ms too early`]
    })
  }

  /** Nothing went wrong: nothing runs, and no letter is written, more often than it must. */
  #problemsOfCount(value: string, runs: readonly Run[]): string[] {
    const kind = kindOf(value)
    const { attempts } = this.#shape
    const due = places.map((_, place) => {
      if (kind === 'plain' || kind === 'refused') return place === 0 ? 1 : 0
      return kind === 'mends' && place === places.length - 1 ? 1 : attempts
    })
    const counts = places.map((_, place) => runs.filter((run) => run.place === place).length)
    const letters = this.#letters.get(value) ?? 0
    const problems = letters > 1 ? [`'${value}' has ${letters} letters`] : []
    if (counts.join() !== due.join()) {
      problems.push(`'${value}' ran ${counts.join()} times, and not ${due.join()}`)
    }
    return problems
  }
}

export function kindOf(value: string): RecordKind {
  return value.split(' ')[1] as RecordKind
}

function failuresIn(runs: readonly Run[], place: number): Run[] {
  return runs
    .filter((run) => run.place === place && run.outcome === 'failed')
    .sort((one, other) => one.endedMs - other.endedMs)
}
