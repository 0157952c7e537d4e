import type { Delivery, Outcome, Step } from '../../runtime/index.ts'
import type { SimulatedProcess } from '../simulation/process.ts'

/** One run of the handlers of a record. */
export interface HandlerRun {
  readonly service: string
  /** The process, `fulfilment-1`. */
  readonly worker: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  /** The type of the event; undefined for records without a contract. */
  readonly eventType: string | undefined
  /** Which run of the record this is, by the count that is committed; from 1. */
  readonly attempt: number
  /** In the time of the world, from its start. */
  readonly startedMs: number
  /** `cut off`: the process ended first. */
  readonly outcome: 'running' | 'done' | 'skipped' | 'waits' | 'failed' | 'cut off'
  /** What it failed with. */
  readonly error: unknown
}

type Writable = { -readonly [Name in keyof HandlerRun]: HandlerRun[Name] }

/** All runs of handlers in a world, seen by a step around them. */
export class HandlerRuns {
  readonly #nowMs: () => number
  readonly #all: Writable[] = []
  readonly #running = new Map<SimulatedProcess, Set<Writable>>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get all(): readonly HandlerRun[] {
    return this.#all
  }

  /** Whether handlers run in the process now. */
  isAtWork(process: SimulatedProcess): boolean {
    return (this.#running.get(process)?.size ?? 0) > 0
  }

  get runningCount(): number {
    return [...this.#running.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** The latest run of a record for which `matches` holds. */
  latest(matches: (run: HandlerRun) => boolean): HandlerRun | undefined {
    return this.#all.findLast(matches)
  }

  /** The process is no more: what runs in it does not come to its end. */
  cutOff(process: SimulatedProcess): void {
    for (const run of this.#running.get(process) ?? []) run.outcome = 'cut off'
    this.#running.delete(process)
  }

  /** The step that sees what runs in a process. */
  stepFor(process: SimulatedProcess, service: string): Step {
    return (delivery, next) => {
      const run = this.#begin(process, service, delivery)
      const ended = (outcome: Outcome): Outcome => {
        this.#end(process, run, nameOf(outcome))
        return outcome
      }
      const failed = (error: unknown): never => {
        run.error = error
        this.#end(process, run, 'failed')
        throw error
      }
      let outcome: Outcome | Promise<Outcome>
      try {
        outcome = next(delivery)
      } catch (error) {
        return failed(error)
      }
      return outcome instanceof Promise ? outcome.then(ended, failed) : ended(outcome)
    }
  }

  #begin(process: SimulatedProcess, service: string, delivery: Delivery): Writable {
    const { topic, partition, offset, record, decoded, attempt } = delivery
    const run: Writable = {
      service,
      worker: process.name,
      topic,
      partition,
      offset,
      key: record.key?.toString() ?? null,
      eventType: decoded?.kind === 'event' ? decoded.event.type : undefined,
      attempt,
      startedMs: this.#nowMs(),
      outcome: 'running',
      error: undefined,
    }
    this.#all.push(run)
    const running = this.#running.get(process) ?? new Set()
    this.#running.set(process, running.add(run))
    return run
  }

  /** Of a process that is no more nothing counts. */
  #end(process: SimulatedProcess, run: Writable, outcome: HandlerRun['outcome']): void {
    if (run.outcome !== 'running') return
    run.outcome = outcome
    this.#running.get(process)?.delete(run)
  }
}

function nameOf(outcome: Outcome): HandlerRun['outcome'] {
  if (outcome === undefined) return 'done'
  return 'skipped' in outcome ? 'skipped' : 'waits'
}
