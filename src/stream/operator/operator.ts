import type { Event, RawRecord } from '../../contract/index.ts'
import type { SourceRecord } from '../../driver/index.ts'
import type { StateKey } from '../../store/index.ts'
import type { TaskState } from '../state/task-state.ts'
import type { Timers } from '../state/timers.ts'

/** A record where it lies. */
export interface PlacedRecord {
  readonly topic: string
  readonly partition: number
  readonly record: SourceRecord
}

/** An event that was taken from an input of a task. */
export interface TaskEvent extends PlacedRecord {
  /** Which input of the task it came by. */
  readonly input: number
  readonly event: Event
  readonly key: StateKey
  /** Its event time. */
  readonly time: number
}

/** Because of what something is sent. */
export interface Cause {
  readonly record: Pick<RawRecord, 'header'>
  readonly id: string
}

/** When and for which key a value is, and because of what. */
export interface Moment {
  readonly key: StateKey
  readonly time: number
  readonly cause: Cause | undefined
  /** The record that it is of; undefined where it is of many. */
  readonly of: PlacedRecord | undefined
}

/** Takes what an operator or a step of a flow comes to. What it throws is the fault of the record that is being worked. */
export type Sink<Value> = (value: Value, moment: Moment) => void

/** What operators share with their task. */
export interface OperatorParts {
  readonly state: TaskState
  readonly timers: Timers
  /** The join time. */
  readonly time: () => number
  readonly count: (what: string) => void
}

/** What has entries in the state. */
export interface Operator {
  /** Begins the keys of its entries, up to the zero. */
  readonly name: string
  /** The time of one of its entries has passed. */
  due(entry: StateKey): void
  /** The record that an entry is about, where it is about one. */
  recordOf(entry: StateKey): PlacedRecord | undefined
  /** When an entry is due, so that the index can be made anew; undefined for never. */
  dueTimeOf(entry: StateKey, value: Buffer): number | undefined
}
