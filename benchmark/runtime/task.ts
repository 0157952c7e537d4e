import type { Stopwatch } from '../stopwatch.ts'

/** What a program is asked to do, in a process of its own. */
export type Task = ConsumeTask | PublishTask | StallTask

/** Reads a topic from its beginning, and runs a handler for each record. */
export interface ConsumeTask {
  readonly kind: 'consume'
  readonly topic: string
  /** After so many it is done. */
  readonly records: number
  /** `event`: each value is JSON, and has to be what a schema says. */
  readonly reads: 'nothing' | 'event'
  /** How long a handler takes; between the two by chance; 0 and 0: it does nothing. */
  readonly handlerMs: readonly [number, number]
  readonly concurrency: number
}

/** Writes events of 350 B that are checked by their schema, in batches of 1,000, four of them not awaited. */
export interface PublishTask {
  readonly kind: 'publish'
  readonly topic: string
  readonly records: number
}

/** Reads until handlers that never come to an end keep everything waiting, and looks at its memory. */
export interface StallTask {
  readonly kind: 'stall'
  readonly topic: string
  /** So many are handled at once before. */
  readonly handled: number
  readonly watchMs: number
}

export interface Order {
  readonly subject: string
  readonly bootstrap: string
  readonly task: Task
  /** Where the peers are installed. */
  readonly peers: string
  /** Where ours is built. */
  readonly built: string
}

/** A program under measurement. */
export interface Subject {
  readonly consume?: Run<ConsumeTask>
  readonly publish?: Run<PublishTask>
  readonly stall?: (task: StallTask, bootstrap: string) => Promise<StallMeasurement>
}

export type Run<Kind> = (
  task: Kind,
  context: { readonly bootstrap: string; readonly stopwatch: Stopwatch },
) => Promise<void>

/** Resident memory in MB. */
export interface StallMeasurement {
  /** When nothing had moved for two seconds. */
  readonly settledMb: number
  /** The most from then on. */
  readonly laterMb: number
  /** The most of all. */
  readonly peakMb: number
}

/** Of every topic but that of one partition. */
export const partitionCount = 12
export const keyCount = 1_000
export const valueBytes = 350
export const batchRecords = 1_000
