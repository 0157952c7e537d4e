import { OptionError } from '../../errors.ts'
import { Column, itemAt } from './column.ts'
import { KeyTable } from './key-table.ts'
import { OperationTable } from './operation-table.ts'
import { ValueTable } from './value-table.ts'
import { orderVersions } from './version-order.ts'
import type { VersionOrder } from './version-order.ts'
import type {
  BeginEvent,
  History,
  HistoryEvent,
  PolledPartition,
  StepEvent,
  TopicPartition,
  Value,
} from './operation.ts'

/** Records that were sent, one row each, in the order of the sends. */
export interface WriteTable {
  readonly operation: Column
  readonly event: Column
  readonly value: Column
  /** As acknowledged; -1 when no acknowledgement said it. */
  readonly offset: Column
}

/** Records that were handed to a process, one row each, in the order in which they were. */
export interface ReadTable {
  readonly operation: Column
  readonly event: Column
  readonly value: Column
  readonly offset: Column
  /** Place of the offset in the key's version order; -1 when only aborted records were seen there. */
  readonly position: Column
}

/**
 * Everything the invariants ask of a history, built once in a few passes over the events. Things
 * are numbers that name rows: an operation, a process, a key (topic-partition), a value (of one
 * key), a write, a read.
 */
export interface HistoryIndex {
  readonly events: readonly HistoryEvent[]
  readonly operations: OperationTable
  readonly keys: KeyTable
  readonly values: ValueTable
  readonly writes: WriteTable
  readonly reads: ReadTable
  /** By key. */
  readonly orders: readonly VersionOrder[]
  /** The event with which the final phase begins; undefined when there is none. */
  readonly finalEvent: number | undefined
}

/** Builds the index. Refuses a history that no recorder can have written. */
export function indexHistory(history: History): HistoryIndex {
  const indexer = new Indexer(history.events)
  history.events.forEach((event, position) => indexer.add(event, position))
  return indexer.finish()
}

/** The first read, from row `from` on, that is wanted. A scan: for stories, not for judging. */
export function findRead(
  { reads }: HistoryIndex,
  isWanted: (read: number) => boolean,
  from = 0,
): number | undefined {
  for (let read = from; read < reads.operation.length; read += 1) {
    if (isWanted(read)) return read
  }
  return undefined
}

class Indexer {
  readonly #events: readonly HistoryEvent[]
  readonly #operations: OperationTable
  readonly #keys = new KeyTable()
  readonly #values: ValueTable
  readonly #writes: WriteTable
  readonly #reads: ReadTable
  /** The writes of running transactions: their acknowledgements name them by number. */
  readonly #transactionWrites = new Map<number, number[]>()
  /** By operation: the write of one that is a send, or else -1. */
  readonly #sendWrite: Column
  #finalEvent: number | undefined

  constructor(events: readonly HistoryEvent[]) {
    const { operations, writes, reads } = countRows(events)
    this.#events = events
    this.#operations = new OperationTable(operations)
    this.#sendWrite = new Column('integer', operations)
    this.#values = new ValueTable(writes)
    this.#writes = {
      operation: new Column('integer', writes),
      event: new Column('integer', writes),
      value: new Column('integer', writes),
      offset: new Column('offset', writes),
    }
    this.#reads = {
      operation: new Column('integer', reads),
      event: new Column('integer', reads),
      value: new Column('integer', reads),
      offset: new Column('offset', reads),
      position: new Column('integer', reads),
    }
  }

  add(event: HistoryEvent, position: number): void {
    if (event.event === 'begin') {
      this.#begin(event, position)
      return
    }
    if (!this.#operations.isRunning(event.id)) {
      throw new OptionError(
        `history.events[${position}].id`,
        `(${event.id}) must be that of an operation that has begun and not ended`,
      )
    }
    if (event.event === 'step') {
      this.#step(event, position)
      return
    }
    if (event.reads !== undefined) this.#readAll(event.id, position, event.reads)
    const write = this.#sendWrite.get(event.id)
    if (write >= 0 && event.offset !== undefined) this.#writes.offset.set(write, event.offset)
    this.#transactionWrites.delete(event.id)
    this.#operations.end(event.id, position, event.outcome)
  }

  #begin(event: BeginEvent, position: number): void {
    if (event.id !== this.#operations.length) {
      throw new OptionError(
        `history.events[${position}].id`,
        `(${event.id}) must be ${this.#operations.length}, the number of operations begun before`,
      )
    }
    this.#operations.begin(event, position)
    const isSend = event.kind === 'send'
    this.#sendWrite.push(isSend ? this.#write(event.id, position, event, event.value) : -1)
    if (event.kind === 'final') this.#finalEvent ??= position
  }

  #step(event: StepEvent, position: number): void {
    if (event.step === 'poll') this.#readAll(event.id, position, event.reads)
    if (event.step === 'send') {
      const writes = this.#transactionWrites.get(event.id) ?? []
      writes.push(this.#write(event.id, position, event, event.value))
      this.#transactionWrites.set(event.id, writes)
    }
    if (event.step === 'sent') {
      const write = this.#transactionWrites.get(event.id)?.[event.send]
      if (write === undefined) {
        throw new OptionError(
          `history.events[${position}].send`,
          `(${event.send}) must be that of a record its transaction sent before`,
        )
      }
      this.#writes.offset.set(write, event.offset)
    }
  }

  #write(operation: number, event: number, at: TopicPartition, value: Value): number {
    const key = this.#keys.intern(at.topic, at.partition)
    const number = this.#values.intern(key, value)
    const write = this.#writes.operation.push(operation)
    this.#writes.event.push(event)
    this.#writes.value.push(number)
    this.#writes.offset.push(-1)
    if (!this.#values.setWrite(number, write)) {
      throw new OptionError(
        `history.events[${event}].value`,
        `(${String(value)}) must be sent to ${this.#keys.name(key)} only once: the checker tells records by their values`,
      )
    }
    return write
  }

  #readAll(operation: number, event: number, reads: readonly PolledPartition[]): void {
    for (const { topic, partition, offsets, values } of reads) {
      const key = this.#keys.intern(topic, partition)
      for (let i = 0; i < offsets.length; i += 1) {
        const offset = itemAt(offsets, i)
        const value = this.#values.intern(key, itemAt(values, i), offset)
        this.#reads.operation.push(operation)
        this.#reads.event.push(event)
        this.#reads.value.push(value)
        this.#reads.offset.push(offset)
        this.#reads.position.push(-1)
        this.#values.observe(value, offset)
      }
    }
  }

  finish(): HistoryIndex {
    const operations = this.#operations
    const values = this.#values
    const [writes, reads] = [this.#writes, this.#reads]
    operations.close(this.#events.length)
    for (let read = 0; read < reads.operation.length; read += 1) {
      if (operations.outcome(reads.operation.get(read)) !== 'ok') continue
      values.markRead(reads.value.get(read))
    }
    for (let write = 0; write < writes.operation.length; write += 1) {
      const operation = writes.operation.get(write)
      const value = writes.value.get(write)
      if (operations.outcome(operation) === 'unknown' && values.isRead(value)) {
        operations.markCommitted(operation)
      }
      if (operations.outcome(operation) === 'failed') values.markAborted(value)
    }
    for (let write = 0; write < writes.operation.length; write += 1) {
      const offset = writes.offset.get(write)
      if (offset < 0 || !operations.isCommitted(writes.operation.get(write))) continue
      values.observe(writes.value.get(write), offset)
    }
    const orders = orderVersions(this.#keys.length, values)
    placeReads(reads, values, orders)
    return {
      events: this.#events,
      operations,
      keys: this.#keys,
      values,
      writes,
      reads,
      orders,
      finalEvent: this.#finalEvent,
    }
  }
}

/** How many rows the tables will have, so that each is as large as it needs to be from the start. */
function countRows(
  events: readonly HistoryEvent[],
): Record<'operations' | 'writes' | 'reads', number> {
  const rows = { operations: 0, writes: 0, reads: 0 }
  for (const event of events) {
    if (event.event === 'begin') {
      rows.operations += 1
      if (event.kind === 'send') rows.writes += 1
    } else if (event.event === 'step' && event.step === 'send') {
      rows.writes += 1
    } else if ('reads' in event) {
      for (const { offsets } of event.reads ?? []) rows.reads += offsets.length
    }
  }
  return rows
}

function placeReads(reads: ReadTable, values: ValueTable, orders: readonly VersionOrder[]): void {
  for (let read = 0; read < reads.operation.length; read += 1) {
    const order = itemAt(orders, values.key(reads.value.get(read)))
    reads.position.set(read, order.positionOf(reads.offset.get(read)))
  }
}
