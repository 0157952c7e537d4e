import { itemAt } from './column.ts'
import type { HistoryIndex } from './history-index.ts'
import type { BeginEvent } from './operation.ts'

/** What `walkReaders` tells. A process is a number that is new after each crash. */
export interface ReaderVisitor {
  /** A process asked for records at this time and was answered, with or without records. */
  polled?(process: number, atMs: number): void
  /**
   * A process was given a record. `previous`: the read before it of the same key, if the process
   * had one since it last got the key. `subscribed`: a group decides what the process reads.
   */
  read(read: number, previous: number | undefined, subscribed: boolean): void
  /** The process gave the key up, or is at the end of the history; `read` was its last. */
  left?(process: number, read: number): void
}

/** What a process remembers of its reading. */
class Reader {
  subscribed = false
  /** The last read, by key. */
  readonly lastReads = new Map<number, number>()
}

/**
 * Walks through what each process read, in order. Only reads that count are told: those of failed
 * operations never do (the client must go back to where it was), and after those of unknown ones
 * nobody can say where the client is, so it starts anew.
 */
export function walkReaders(index: HistoryIndex, visitor: ReaderVisitor): void {
  const walk = new ReaderWalk(index, visitor)
  for (let event = 0; event < index.events.length; event += 1) walk.visit(event)
  walk.finish()
}

class ReaderWalk {
  readonly #index: HistoryIndex
  readonly #visitor: ReaderVisitor
  readonly #readers: Reader[]
  #nextRead = 0

  constructor(index: HistoryIndex, visitor: ReaderVisitor) {
    this.#index = index
    this.#visitor = visitor
    this.#readers = Array.from({ length: index.operations.processCount }, () => new Reader())
  }

  visit(position: number): void {
    const event = itemAt(this.#index.events, position)
    if (event.event === 'begin') {
      this.#control(event)
      return
    }
    const isPoll =
      event.event === 'step'
        ? event.step === 'poll'
        : this.#index.operations.start(event.id).kind === 'poll'
    if (isPoll) this.#poll(event.id, position)
  }

  finish(): void {
    this.#readers.forEach((reader, process) => {
      for (const key of reader.lastReads.keys()) this.#forget(process, key)
    })
  }

  #poll(operation: number, position: number): void {
    const { reads, operations, values, events } = this.#index
    const first = this.#nextRead
    const count = reads.event.length
    while (this.#nextRead < count && reads.event.get(this.#nextRead) === position) {
      this.#nextRead += 1
    }
    if (operations.outcome(operation) === 'failed') return
    const process = operations.process(operation)
    const reader = itemAt(this.#readers, process)
    if (!operations.isCommitted(operation)) {
      for (let read = first; read < this.#nextRead; read += 1) {
        this.#forget(process, values.key(reads.value.get(read)))
      }
      return
    }
    for (let read = first; read < this.#nextRead; read += 1) {
      const key = values.key(reads.value.get(read))
      this.#visitor.read(read, reader.lastReads.get(key), reader.subscribed)
      reader.lastReads.set(key, read)
    }
    const isStep = operations.endEvent(operation) !== position
    const asked = isStep ? position : operations.beginEvent(operation)
    this.#visitor.polled?.(process, itemAt(events, asked).atMs)
  }

  #control(event: BeginEvent): void {
    const { operations, keys } = this.#index
    const process = operations.process(event.id)
    const reader = itemAt(this.#readers, process)
    if (event.kind === 'assign') {
      reader.subscribed = false
      const kept = new Set(event.partitions.map((at) => keys.find(at.topic, at.partition)))
      this.#forgetAll(process, (key) => !kept.has(key))
    }
    if (event.kind === 'subscribe') {
      reader.subscribed = true
      this.#forgetAll(process, (key) => !event.topics.includes(keys.at(key).topic))
    }
    if (event.kind === 'rebalance') {
      for (const at of event.partitions) this.#forget(process, keys.find(at.topic, at.partition))
    }
    if (event.kind === 'seek') {
      for (const at of event.offsets) this.#forget(process, keys.find(at.topic, at.partition))
    }
  }

  #forgetAll(process: number, isGone: (key: number) => boolean): void {
    for (const key of itemAt(this.#readers, process).lastReads.keys()) {
      if (isGone(key)) this.#forget(process, key)
    }
  }

  #forget(process: number, key: number | undefined): void {
    const { lastReads } = itemAt(this.#readers, process)
    const read = key === undefined ? undefined : lastReads.get(key)
    if (key === undefined || read === undefined) return
    lastReads.delete(key)
    this.#visitor.left?.(process, read)
  }
}
