import { OptionError } from '../../errors.ts'
import { Column, itemAt } from './column.ts'
import type { BeginEvent, Outcome } from './operation.ts'

/**
 * The operations of a history. A process that crashed and goes on under its name is a new process
 * here: it remembers nothing, and nothing is expected of it that was promised to the old one.
 */
export class OperationTable {
  readonly #begins: BeginEvent[] = []
  readonly #outcomes: Outcome[] = []
  /** 1 for yes. */
  readonly #committed: Column
  readonly #process: Column
  readonly #beginEvent: Column
  /** -1 while running. */
  readonly #endEvent: Column
  readonly #closedEvent: Column
  /** By process; -1 while it lives. */
  readonly #processEndEvent = new Column('integer')
  readonly #processes = new Map<string, number>()

  constructor(capacity: number) {
    this.#committed = new Column('integer', capacity)
    this.#process = new Column('integer', capacity)
    this.#beginEvent = new Column('integer', capacity)
    this.#endEvent = new Column('integer', capacity)
    this.#closedEvent = new Column('integer', capacity)
  }

  get length(): number {
    return this.#begins.length
  }

  get processCount(): number {
    return this.#processEndEvent.length
  }

  begin(event: BeginEvent, position: number): void {
    this.#begins.push(event)
    this.#outcomes.push('unknown')
    this.#committed.push(0)
    this.#process.push(this.#processNamed(event.process))
    this.#beginEvent.push(position)
    this.#endEvent.push(-1)
    if (event.kind === 'crash') this.#endProcess(event.process, position)
  }

  end(operation: number, position: number, outcome: Outcome): void {
    this.#endEvent.set(operation, position)
    this.#outcomes[operation] = outcome
    if (outcome === 'ok') this.markCommitted(operation)
    const { kind, process } = this.start(operation)
    // What the process began between the kill and its death is closed as well.
    if (kind === 'crash') this.#endProcess(process, this.#beginEvent.get(operation))
  }

  /** Says when the operations that never ended stopped running: with their process, or never. */
  close(eventCount: number): void {
    for (let operation = 0; operation < this.length; operation += 1) {
      const endEvent = this.#endEvent.get(operation)
      const processEnd = this.#processEndEvent.get(this.#process.get(operation))
      if (endEvent >= 0) this.#closedEvent.push(endEvent)
      else if (processEnd < 0) this.#closedEvent.push(eventCount)
      else this.#closedEvent.push(Math.max(processEnd, this.#beginEvent.get(operation)))
    }
  }

  isRunning(operation: number): boolean {
    return operation >= 0 && operation < this.length && this.#endEvent.get(operation) < 0
  }

  /** The process as a number that is new after each crash. */
  process(operation: number): number {
    return this.#process.get(operation)
  }

  processName(operation: number): string {
    return this.start(operation).process
  }

  start(operation: number): BeginEvent {
    return itemAt(this.#begins, operation)
  }

  outcome(operation: number): Outcome {
    return itemAt(this.#outcomes, operation)
  }

  /** Whether what it wrote is surely in the log: it ended ok, or is unknown and was seen. */
  isCommitted(operation: number): boolean {
    return this.#committed.get(operation) === 1
  }

  markCommitted(operation: number): void {
    this.#committed.set(operation, 1)
  }

  beginEvent(operation: number): number {
    return this.#beginEvent.get(operation)
  }

  /** Undefined for one that never ended. */
  endEvent(operation: number): number | undefined {
    const event = this.#endEvent.get(operation)
    return event < 0 ? undefined : event
  }

  /** Where it surely runs no more: its end, its process' crash, or past the last event. */
  closedEvent(operation: number): number {
    return this.#closedEvent.get(operation)
  }

  #processNamed(name: string): number {
    if (name === '') throw new OptionError('history.process', '() must not be empty')
    let process = this.#processes.get(name)
    if (process === undefined) {
      process = this.#processEndEvent.push(-1)
      this.#processes.set(name, process)
    }
    return process
  }

  #endProcess(name: string, position: number): void {
    this.#processEndEvent.set(this.#processNamed(name), position)
    this.#processes.delete(name)
  }
}
