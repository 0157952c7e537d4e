import { StateError } from '../state/state-error.ts'
import type { TimeFacts } from './task-time.ts'

/** Where the state has the time. No operator's name begins so. */
export const timeKey = '\x02time'

/** What moved the time of a task, in the order in which it did. */
export type TimeStep =
  /** So many records in a row were taken from this input, whatever became of them. */
  | { readonly input: number; readonly records: number }
  /** The time moved by no record: inputs had nothing for a while, or much had to end before the next record was taken. */
  | { readonly advancedTo: number }

/** The time of a task as the changelog has it, and what has moved it since the record before. */
export interface TimeRecord extends TimeFacts {
  readonly steps: readonly TimeStep[]
}

const version = 1

/** The most that a step takes as it is written, a time, and what is written beside these. */
const stepBytes = 40
const timeBytes = 20
const besideBytes = 200

/** Keeps in which order the inputs were taken and what the clock did: with the input's logs, it tells each lateness again. */
export class TimeJournal {
  #steps: TimeStep[] = []
  #input = -1
  #records = 0
  readonly #stepsMax: number

  /** What it comes to is no larger than `bytesMax`, as long as nothing is taken while it is full. */
  constructor(bytesMax = Infinity, sourceCount = 2) {
    const timesBytes = timeBytes * sourceCount
    this.#stepsMax = Math.max(1, Math.floor((bytesMax - besideBytes - timesBytes) / stepBytes))
  }

  /** Whether it has to be committed before more is taken: the changelog takes no larger record. */
  get isFull(): boolean {
    return this.#steps.length >= this.#stepsMax
  }

  get hasSteps(): boolean {
    return this.#records > 0 || this.#steps.length > 0
  }

  took(input: number): void {
    if (input !== this.#input) this.#endRun()
    this.#input = input
    this.#records++
  }

  advanced(time: number): void {
    this.#endRun()
    this.#steps.push({ advancedTo: time })
  }

  /** What happened since the last time, and what has come of it. */
  take(facts: TimeFacts): Buffer {
    this.#endRun()
    const record = { version, ...facts, steps: this.#steps }
    this.#steps = []
    return Buffer.from(JSON.stringify(record))
  }

  #endRun(): void {
    if (this.#records > 0) this.#steps.push({ input: this.#input, records: this.#records })
    this.#records = 0
  }
}

export function readTimeRecord(bytes: Buffer | undefined): TimeRecord | undefined {
  if (bytes === undefined) return undefined
  const record = JSON.parse(bytes.toString()) as TimeRecord & { readonly version: number }
  if (record.version !== version) {
    throw new StateError(`the time of the state has version ${record.version}, of a newer version`)
  }
  return record
}
