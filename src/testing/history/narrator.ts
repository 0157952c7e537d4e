import type { HistoryIndex } from './history-index.ts'
import type { Outcome, TopicPartitionOffset, Value } from './operation.ts'

/** One case of an anomaly, in plain words. */
export interface Story {
  /** What is wrong, in a sentence. */
  readonly summary: string
  /** What happened, in order; only what is needed to see it. */
  readonly lines: readonly string[]
}

/** One thing that happened, at an event of the history. */
export interface Line {
  readonly event: number
  readonly text: string
}

/** Tells what happened in the words of the history: who, when, what, where. */
export class Narrator {
  readonly #index: HistoryIndex

  constructor(index: HistoryIndex) {
    this.#index = index
  }

  /** Brings lines into order; one that several parts of a story tell is told once. */
  story(summary: string, lines: readonly Line[]): Story {
    const sorted = [...lines].sort((left, right) => left.event - right.event)
    const told = sorted.map(({ event, text }) => `at ${this.#time(event)} ${text}`)
    return { summary, lines: [...new Set(told)] }
  }

  /** A value and where it was: `'a' of orders-0`. */
  valueOf(value: number): string {
    const { values, keys } = this.#index
    return `${quote(values.value(value))} of ${keys.name(values.key(value))}`
  }

  /** What a handler was given: its place, and its value when the history knows it. */
  handling({ topic, partition, offset }: TopicPartitionOffset): string {
    const { keys, orders, values } = this.#index
    const key = keys.find(topic, partition)
    const order = key === undefined ? undefined : orders[key]
    const position = order?.positionOf(offset) ?? -1
    const value =
      order === undefined || position < 0
        ? ''
        : ` (${quote(values.value(order.valueAt(position)))})`
    return `handling offset ${offset} of ${topic}-${partition}${value}`
  }

  /** What the process was doing, for a sentence in which the transaction matters. */
  doer(operation: number): string {
    const { operations } = this.#index
    const name = operations.processName(operation)
    return operations.start(operation).kind === 'transaction'
      ? `${name} in transaction ${operation}`
      : name
  }

  /** A record is sent, and what became of it. */
  write(write: number): Line[] {
    const { writes, values, keys } = this.#index
    const operation = writes.operation.get(write)
    const value = writes.value.get(write)
    const shown = quote(values.value(value))
    const where = keys.name(values.key(value))
    const text = `${this.doer(operation)} sends ${shown} to ${where}`
    const offset = writes.offset.get(write)
    const placed = offset < 0 ? '' : ` at offset ${offset}`
    return [
      { event: writes.event.get(write), text },
      ...this.end(operation, `sending ${shown} to ${where}${placed}`),
    ]
  }

  /** The write of a value, when the history has it. */
  writeOf(value: number): Line[] {
    const write = this.#index.values.write(value)
    return write === undefined ? [] : this.write(write)
  }

  /** A record is handed to a process. */
  read(read: number): Line {
    const { reads } = this.#index
    const value = this.valueOf(reads.value.get(read))
    const doer = this.doer(reads.operation.get(read))
    return {
      event: reads.event.get(read),
      text: `${doer} reads ${value} at offset ${reads.offset.get(read)}`,
    }
  }

  /** How an operation ended; nothing for one that never did. `doing` names it if it is no transaction. */
  end(operation: number, doing: string): Line[] {
    const { operations, events } = this.#index
    const event = operations.endEvent(operation)
    if (event === undefined) return []
    const ended = events[event]
    const error = ended?.event === 'end' && ended.error !== undefined ? ` (${ended.error})` : ''
    const isTransaction = operations.start(operation).kind === 'transaction'
    const what = isTransaction ? `transaction ${operation}` : doing
    const how = (isTransaction ? transactionEnding : ending)[operations.outcome(operation)]
    return [{ event, text: `${operations.processName(operation)}: ${what} ${how}${error}` }]
  }

  /** When an operation began. */
  begin(operation: number, doing: string): Line {
    const { operations } = this.#index
    return {
      event: operations.beginEvent(operation),
      text: `${operations.processName(operation)} begins ${doing}`,
    }
  }

  #time(event: number): string {
    const atMs = this.#index.events[event]?.atMs ?? Number.NaN
    return formatMs(atMs)
  }
}

const ending = {
  ok: 'succeeded',
  failed: 'failed',
  unknown: 'has an unknown outcome',
} as const satisfies Record<Outcome, string>

const transactionEnding = { ...ending, ok: 'committed' } as const

/** A value as it was given: text in quotes, so that '1' and 1 differ. */
export function quote(value: Value): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** Milliseconds with at most three digits after the point. */
export function formatMs(ms: number): string {
  return `${Math.round(ms * 1000) / 1000} ms`
}
