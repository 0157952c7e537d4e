import type { Stopwatch } from '../stopwatch.ts'

export type { Measurement, Stopwatch } from '../stopwatch.ts'

/** What a client is asked to do, in a process of its own. */
export type Task =
  | {
      readonly kind: 'produce'
      readonly topic: string
      readonly records: number
      readonly valueBytes: number
    }
  | {
      readonly kind: 'consume'
      readonly topic: string
      readonly records: number
      readonly mode: ConsumeMode
    }
  | {
      readonly kind: 'transactions'
      readonly topic: string
      readonly transactions: number
      readonly recordsEach: number
      readonly valueBytes: number
    }
  | {
      readonly kind: 'latency'
      readonly topic: string
      /** Sends before the clock runs. */
      readonly warmUps: number
      readonly records: number
      readonly valueBytes: number
    }
  | { readonly kind: 'start'; readonly topic: string }

/** Whether the handler gets batches, or every record with its value, key and headers read. */
export type ConsumeMode = 'batches' | 'records'

export interface Order {
  readonly subject: string
  readonly bootstrap: string
  readonly task: Task
  /** Where the peers are installed. */
  readonly peers: string
  /** Where our client is built. */
  readonly built: string
}

/** A client under measurement. A kind of task that it cannot do is left out. */
export interface Subject {
  readonly produce?: Run<'produce'>
  readonly consume?: Run<'consume'>
  readonly transactions?: Run<'transactions'>
  readonly latency?: Run<'latency'>
  readonly start?: Run<'start'>
}

export type Run<Kind extends Task['kind']> = (
  task: Extract<Task, { kind: Kind }>,
  context: { readonly bootstrap: string; readonly stopwatch: Stopwatch },
) => Promise<void>

export const keyCount = 10_000
export const batchRecords = 1000
/** Of every topic. */
export const partitionCount = 12

/** Values that do not compress to nothing, the same for all. */
export function makeValue(bytes: number): Buffer {
  const value = Buffer.alloc(bytes)
  let state = 12345
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    value[index] = 32 + ((state >>> 16) % 90)
  }
  return value
}

export function makeKeys(): string[] {
  return Array.from({ length: keyCount }, (_, index) => `key-${index}`)
}
