import { OptionError } from '../../errors.ts'
import { asFields, copyBegin, copyEnd, copyStep, groupRecords, show } from './recorded-event.ts'
import type {
  History,
  HistoryEvent,
  OperationKind,
  OperationKinds,
  OperationStart,
  Outcome,
  PolledRecord,
  TopicPartition,
  TopicPartitionOffset,
  Value,
} from './operation.ts'

/** An operation that was begun. Exactly one of its methods is called, once. */
export interface RunningOperation<Result extends readonly unknown[]> {
  /** It succeeded: what it did is done for good. */
  ok(...result: Result): void
  /** It definitely had no effect and never will have. A poll names what it still handed over. */
  failed(error: unknown, ...result: Partial<Result>): void
  /** Nobody can tell whether it had an effect. When in doubt, this. */
  unknown(error: unknown, ...result: Partial<Result>): void
}

/** A record that was sent in a transaction. */
export interface TransactionalSend {
  /** The broker gave the record this offset. Says nothing about the transaction's outcome. */
  acknowledged(offset: number): void
}

/** A transaction that was begun. Its steps are recorded when they are taken. */
export interface RunningTransaction extends RunningOperation<[]> {
  /** Call it before the record is sent, so that a killed process leaves no record without a writer. */
  send(record: TopicPartition & { readonly value: Value }): TransactionalSend
  /** Records were handed to the process as part of the transaction. */
  polled(records: readonly PolledRecord[]): void
  /** The group's offsets were added to the transaction. */
  offsets(group: string, offsets: readonly TopicPartitionOffset[]): void
}

/** What `begin` answers for each kind of operation. */
export type RunningOperations = {
  [Kind in OperationKind]: Kind extends 'transaction'
    ? RunningTransaction
    : RunningOperation<OperationKinds[Kind]['result']>
}

/** The kinds that happen at one moment as far as the checker is concerned. */
export type InstantKind = 'assign' | 'subscribe' | 'rebalance' | 'seek' | 'crash' | 'final'

/** Writes down what clients do, while they do it. */
export interface HistoryRecorder {
  /**
   * Call it before the operation is asked for.
   *
   * @example
   * const send = history.begin({ process: 'producer-1', kind: 'send', topic: 'orders', partition: 0, value: 'a' })
   * try {
   *   send.ok({ offset: await producer.send('orders', 0, 'a') })
   * } catch (error) {
   *   send.unknown(error)
   * }
   */
  begin<K extends OperationKind>(
    start: { readonly kind: K } & OperationStart<K>,
  ): RunningOperations[K]
  /** An operation that begins and succeeds at once. */
  note<K extends InstantKind>(start: { readonly kind: K } & OperationStart<K>): void
}

export interface RecordOptions {
  /**
   * Milliseconds on a clock that never steps back. Histories that are to be merged need one clock:
   * the machine's monotonic one, or the simulator's.
   */
  readonly now: () => number
}

export interface RecordLinesOptions extends RecordOptions {
  /** Is given each event as a line of JSON with its newline. Must have written it when it returns. */
  readonly write: (line: string) => void
}

/** Records into memory: what is answered is the history, ready to be checked. */
export function recordHistory(options: RecordOptions): HistoryRecorder & History {
  const events: HistoryEvent[] = []
  const recorder = new Recorder(options.now, (event) => events.push(event))
  return Object.assign(recorder, { events })
}

/**
 * Records into lines, keeping nothing: for a process of its own, which may be killed at any time.
 * `readHistory` reads the lines, `mergeHistories` brings several processes together.
 */
export function recordHistoryLines(options: RecordLinesOptions): HistoryRecorder {
  return new Recorder(options.now, (event) => options.write(`${JSON.stringify(event)}\n`))
}

class Recorder implements HistoryRecorder {
  readonly #now: () => number
  readonly #emit: (event: HistoryEvent) => void
  #operationCount = 0
  #latestMs = Number.NEGATIVE_INFINITY

  constructor(now: () => number, emit: (event: HistoryEvent) => void) {
    this.#now = now
    this.#emit = emit
  }

  begin<K extends OperationKind>(
    start: { readonly kind: K } & OperationStart<K>,
  ): RunningOperations[K] {
    const event = copyBegin(this.#operationCount, this.#nowMs(), asFields(start, 'start'))
    this.#operationCount += 1
    this.#emit(event)
    const journal: Journal = { id: event.id, emit: this.#emit, nowMs: () => this.#nowMs() }
    const operation =
      event.kind === 'transaction' ? new Transaction(journal) : new SimpleOperation(journal)
    // The interface tells callers what their kind has; one class serves all kinds but transactions.
    return operation as unknown as RunningOperations[K]
  }

  note<K extends InstantKind>(start: { readonly kind: K } & OperationStart<K>): void {
    const event = copyBegin(this.#operationCount, this.#nowMs(), asFields(start, 'start'))
    this.#operationCount += 1
    this.#emit(event)
    this.#emit({ event: 'end', id: event.id, atMs: event.atMs, outcome: 'ok' })
  }

  /** A reading that steps back is taken as the one before: the order of events is never in doubt. */
  #nowMs(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#now())
    return this.#latestMs
  }
}

/** What an operation needs of its recorder. */
interface Journal {
  readonly id: number
  readonly emit: (event: HistoryEvent) => void
  readonly nowMs: () => number
}

/** The result of any kind but a transaction, as the caller gave it. */
interface LooseResult {
  readonly offset?: number | undefined
  readonly records?: readonly PolledRecord[]
  readonly ended?: string
}

/** Running until one of `ok`, `failed` and `unknown` is called; ended from then on. */
class SimpleOperation {
  readonly journal: Journal
  #ended = false

  constructor(journal: Journal) {
    this.journal = journal
  }

  ok(result?: LooseResult): void {
    this.#end('ok', undefined, result)
  }

  failed(error: unknown, result?: LooseResult): void {
    this.#end('failed', error, result)
  }

  unknown(error: unknown, result?: LooseResult): void {
    this.#end('unknown', error, result)
  }

  assertRunning(): void {
    if (!this.#ended) return
    throw new OptionError(`history operation ${this.journal.id}`, 'has ended: nothing follows that')
  }

  #end(outcome: Outcome, error: unknown, result: LooseResult = {}): void {
    this.assertRunning()
    const { offset, records, ended } = result
    const reads = records === undefined ? undefined : groupRecords(records)
    const fields = { outcome, error: errorText(error), offset, reads, ended }
    this.journal.emit(copyEnd(this.journal.id, this.journal.nowMs(), fields))
    this.#ended = true
  }
}

class Transaction extends SimpleOperation {
  #sendCount = 0

  send(record: TopicPartition & { readonly value: Value }): TransactionalSend {
    this.#step({ ...record, step: 'send' })
    const send = this.#sendCount
    this.#sendCount += 1
    return { acknowledged: (offset) => this.#step({ step: 'sent', send, offset }) }
  }

  polled(records: readonly PolledRecord[]): void {
    this.#step({ step: 'poll', reads: groupRecords(records) })
  }

  offsets(group: string, offsets: readonly TopicPartitionOffset[]): void {
    this.#step({ step: 'offsets', group, offsets })
  }

  #step(fields: Readonly<Record<string, unknown>>): void {
    this.assertRunning()
    this.journal.emit(copyStep(this.journal.id, this.journal.nowMs(), fields))
  }
}

function errorText(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (!(error instanceof Error)) return show(error)
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  return `${error.name}${code}: ${error.message}`
}
