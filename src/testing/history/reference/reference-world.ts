import { recordHistory } from '../record.ts'
import { ReferenceLog } from './reference-log.ts'
import type { HistoryRecorder } from '../record.ts'
import type { History } from '../operation.ts'

/** What can be wrong with the reference model, for a test of the checker. Each shows now and then. */
export type Defect =
  | 'acknowledges and loses'
  | 'appends twice'
  | 'answers another value'
  | 'reads aborted records'
  | 'reads open transactions'
  | 'reads its own open transaction'
  | 'skips a record'
  | 'reads a record again'
  | 'keeps its position after an abort'
  | 'appends in another order'
  | 'says failed and commits'
  | 'says committed and aborts'
  | 'forgets at the end'
  | 'commits what was polled'
  | 'commits backwards'
  | 'releases while a handler runs'
  | 'starts a key out of order'

/** A process of the model: it runs up to its next `yield` whenever it is its turn. */
export type Actor = Generator<undefined, void, undefined>

/** Everything the processes of one generated history share. */
export class ReferenceWorld {
  readonly history: HistoryRecorder & History
  readonly logs: readonly ReferenceLog[]
  readonly defect: Defect | undefined
  /** Set when processes are to finish what they are at and end. */
  stopping = false
  #atMs = 0
  #valueCount = 0
  #state: number
  readonly #actors: Actor[] = []

  constructor(seed: number, logCount: number, defect?: Defect) {
    this.#state = Math.imul(seed, 2_654_435_761) >>> 0
    this.defect = defect
    this.history = recordHistory({ now: () => this.#atMs })
    this.logs = Array.from(
      { length: logCount },
      (_, log) =>
        new ReferenceLog({ topic: log % 3 === 0 ? 'payments' : 'orders', partition: log }),
    )
  }

  start(actor: Actor): void {
    this.#actors.push(actor)
  }

  /** Lets processes take `turnCount` turns in random order, then lets all of them finish. */
  run(turnCount: number): void {
    for (let turn = 0; turn < turnCount; turn += 1) this.#turn()
    this.stopping = true
    while (this.#actors.length > 0) this.#turn()
  }

  #turn(): void {
    const place = this.integer(this.#actors.length)
    const actor = this.#actors[place]
    if (actor === undefined) return
    this.#atMs += this.integer(4) / 8
    if (actor.next().done === true) this.#actors.splice(place, 1)
  }

  /** Whether the model's defect is this one, and shows this time. */
  shows(defect: Defect, probability = 0.1): boolean {
    return this.defect === defect && this.chance(probability)
  }

  nextValue(): string {
    this.#valueCount += 1
    return `v${this.#valueCount}`
  }

  /** A whole number from 0 up to, not including, `bound`: from the high bits of a linear generator. */
  integer(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return (this.#state >>> 8) % bound
  }

  chance(probability: number): boolean {
    return this.integer(1_000_000) < probability * 1_000_000
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
}
