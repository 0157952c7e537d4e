import { hasEndedIn } from '../runtime/committed-log.ts'
import type { Told } from '../runtime/committed-log.ts'
import type { Happening, JournalLine } from './journal.ts'
import { attemptsMax, kindOf } from './records.ts'

/** What a life of a worker has told. */
export interface SeenLife {
  readonly name: string
  readonly lines: readonly JournalLine[]
  readonly diedAtMs: number | undefined
  readonly wasCutOff: boolean
}

/** A record of the source. */
export interface SeenRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
}

interface Named {
  readonly partition: number
  readonly offset: number
}

/** Ways in which a run of a handler ends. */
const ends: ReadonlySet<Happening> = new Set(['done', 'failed', 'left'])

const id = ({ partition, offset }: Named) => `${partition}@${offset}`

/**
 * Judges from outside: what handlers did, by their journals, against what the group committed, as the cluster tells it.
 *
 * While it goes on: no commit names a record that has not ended (F2), none goes back. In the end: the order of keys (F3),
 * no record that a commit named runs again, each is done or a dead letter (F8), and the right ones are.
 */
export class ProcessWitness {
  readonly violations: string[] = []
  /** When a commit was first seen that names the record as ended. */
  readonly #namedAtMs = new Map<string, number>()
  readonly #frontiers = new Map<number, number>()
  readonly #done = new Set<string>()
  readonly #letters = new Set<string>()
  commitCount = 0

  /** Handlers have told that. */
  told(lines: readonly JournalLine[]): void {
    for (const line of lines) if (line.what === 'done') this.#done.add(id(line))
  }

  /** There is a letter of the record. */
  lettered(record: Named): void {
    this.#letters.add(id(record))
  }

  get letterCount(): number {
    return this.#letters.size
  }

  hasLetter(record: Named): boolean {
    return this.#letters.has(id(record))
  }

  /** The group's progress as it was found at a time, when all that was told and lettered by then is known. */
  committed(partition: number, commit: Told, atMs: number): void {
    this.commitCount += 1
    const from = this.#frontiers.get(partition) ?? 0
    if (commit.frontier < from) {
      this.#blame(`the commit of ${partition} went back from ${from} to ${commit.frontier}`)
      return
    }
    this.#frontiers.set(partition, commit.frontier)
    for (let offset = from; offset < commit.frontier; offset++) {
      this.#named({ partition, offset }, commit, atMs)
    }
    for (const offset of commit.above) this.#named({ partition, offset }, commit, atMs)
  }

  /** What does not hold when all is over. */
  judge(records: readonly SeenRecord[], lives: readonly SeenLife[]): readonly string[] {
    this.#checkEnded(records, lives)
    this.#checkOrder(records, lives)
    this.#checkOverlaps(lives)
    this.#checkRepeats(lives)
    return this.violations
  }

  #named(record: Named, commit: Told, atMs: number): void {
    const name = id(record)
    if (this.#namedAtMs.has(name) || !hasEndedIn(commit, record.offset)) return
    this.#namedAtMs.set(name, atMs)
    if (this.#done.has(name) || this.#letters.has(name)) return
    this.#blame(`a commit names ${name} as ended, which is neither done nor a letter`)
  }

  #checkEnded(records: readonly SeenRecord[], lives: readonly SeenLife[]): void {
    const failures = new Map<string, number>()
    for (const { lines } of lives) {
      for (const line of lines) {
        if (line.what === 'failed') failures.set(id(line), (failures.get(id(line)) ?? 0) + 1)
      }
    }
    for (const record of records) {
      const name = id(record)
      const isLettered = this.#letters.has(name)
      const kind = kindOf(record.value)
      if (!isLettered && !this.#done.has(name)) this.#blame(`${name} was lost`)
      if (!isLettered && kind !== 'plain') this.#blame(`${name} is ${kind}, and has no letter`)
      if (!isLettered || kind === 'refused') continue
      const failed = failures.get(name) ?? 0
      if (failed >= attemptsMax) continue
      this.#blame(`${name} has a letter, and failed ${failed} times of ${attemptsMax}`)
    }
  }

  /** A record starts when all before it of its key have ended, wherever they ran. */
  #checkOrder(records: readonly SeenRecord[], lives: readonly SeenLife[]): void {
    const endedAtMs = new Map<string, number>()
    for (const line of lives.flatMap(({ lines }) => lines)) {
      if (line.what !== 'done') continue
      endedAtMs.set(id(line), Math.min(endedAtMs.get(id(line)) ?? Infinity, line.atMs))
    }
    /** By when everything of the key before a record has ended. */
    const before = new Map<string, number>()
    const latest = new Map<string, number>()
    for (const record of [...records].sort((one, other) => one.offset - other.offset)) {
      const lane = `${record.partition} ${record.key}`
      const soFar = latest.get(lane) ?? -Infinity
      before.set(id(record), soFar)
      const name = id(record)
      // When a letter was written nobody tells.
      const ended = endedAtMs.get(name) ?? (this.#letters.has(name) ? -Infinity : Infinity)
      latest.set(lane, Math.max(soFar, ended))
    }
    for (const { name: life, lines, wasCutOff } of lives) {
      if (wasCutOff) continue
      for (const line of lines) {
        if (line.what !== 'start' || line.atMs >= (before.get(id(line)) ?? Infinity)) continue
        this.#blame(`${life} starts ${id(line)} before an earlier record of ${line.key} has ended`)
      }
    }
  }

  /** No two of a key run at once: in one process ever, in two of them unless one was cut off. */
  #checkOverlaps(lives: readonly SeenLife[]): void {
    interface Entry {
      readonly life: SeenLife
      readonly line: JournalLine | undefined
      readonly atMs: number
    }
    const entries = lives.flatMap((life): Entry[] => [
      ...life.lines.map((line) => ({ life, line, atMs: line.atMs })),
      ...(life.diedAtMs === undefined ? [] : [{ life, line: undefined, atMs: life.diedAtMs }]),
    ])
    const running = new Map<string, Map<SeenLife, number>>()
    for (const { life, line } of entries.sort((one, other) => one.atMs - other.atMs)) {
      if (line === undefined) {
        for (const inLane of running.values()) inLane.delete(life)
        continue
      }
      const lane = `${line.partition} ${line.key}`
      const inLane = running.get(lane) ?? new Map<SeenLife, number>()
      running.set(lane, inLane)
      if (ends.has(line.what)) inLane.delete(life)
      if (line.what !== 'start') continue
      for (const [other, offset] of inLane) {
        if (other !== life && (other.wasCutOff || life.wasCutOff)) continue
        const where = `${line.partition}@${offset} of the same key runs in ${other.name}`
        this.#blame(`${life.name} starts ${id(line)} while ${where}`)
      }
      inLane.set(life, line.offset)
    }
  }

  /** What a commit named, or the same owner has done, does not run again. */
  #checkRepeats(lives: readonly SeenLife[]): void {
    for (const { name, lines, wasCutOff } of lives) {
      const done = new Set<string>()
      for (const line of lines) {
        if (line.what === 'assigned') {
          for (const each of [...done]) if (each.startsWith(`${line.partition}@`)) done.delete(each)
        }
        if (line.what === 'done') done.add(id(line))
        if (line.what !== 'start' || wasCutOff) continue
        if (done.has(id(line))) this.#blame(`${name} starts ${id(line)}, which it has done`)
        if (line.atMs > (this.#namedAtMs.get(id(line)) ?? Infinity)) {
          this.#blame(`${name} starts ${id(line)}, which a commit had named as ended`)
        }
      }
    }
  }

  #blame(problem: string): void {
    if (this.violations.length < 50) this.violations.push(problem)
  }
}
