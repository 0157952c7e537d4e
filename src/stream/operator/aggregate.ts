import type { StateKey } from '../../store/index.ts'
import { measured, nameEnd, orderedNumber } from '../state/state-key.ts'
import { keptResultIn, placeIn, writtenResult } from './kept-result.ts'
import type { ResultForm } from './kept-result.ts'
import type { Moment, Operator, OperatorParts, Sink } from './operator.ts'
import { windowsOf } from './window.ts'
import type { TimeWindow, Windowing } from './window.ts'

/** What is worked out of many values. It is kept as JSON. */
export interface Aggregation<Value, Result> extends ResultForm<Result> {
  /** Undefined is nothing: the first value of a key, or of a window. */
  readonly add: (result: Result | undefined, value: Value, time: number) => Result
  /** Puts two sessions together that turn out to be one. */
  readonly merge: ((one: Result, other: Result) => Result) | undefined
}

export interface AggregateSettings<Value, Result> extends Aggregation<Value, Result> {
  /** Undefined: one result a key, for good. */
  readonly windowing: Windowing | undefined
  readonly graceMs: number
  /** How long the result of a window can be read after it has closed. */
  readonly keepMs: number
  readonly emit: 'update' | 'close'
  /** Under what it is put together; undefined for the key of the record. */
  readonly by: ((value: Value) => StateKey) | undefined
}

/** A result, and of which window it is. */
export interface AggregateResult<Result> {
  readonly key: StateKey
  readonly window: TimeWindow | undefined
  readonly value: Result
}

export interface AggregateParts<Value, Result>
  extends OperatorParts, AggregateSettings<Value, Result> {
  readonly result: Sink<AggregateResult<Result>>
  /** A value that came when all its windows had closed. */
  readonly late: Sink<Value>
}

/**
 * Puts values together, by key and by window. A window closes when the time has passed its end and grace: from then on its
 * values come late.
 *
 * - an entry: **open** ─ the time passes ─► **closed** ─ `keepMs` ─► gone.
 */
export class Aggregate<Value, Result> implements Operator {
  readonly name: string
  readonly #parts: AggregateParts<Value, Result>

  constructor(parts: AggregateParts<Value, Result>) {
    this.name = parts.name
    this.#parts = parts
  }

  take(value: Value, moment: Moment): void {
    const { by, windowing } = this.#parts
    const key = by === undefined ? moment.key : by(value)
    const prefix = this.#prefix(key)
    if (windowing === undefined) this.#add(prefix, key, undefined, value, moment)
    else if (windowing.kind === 'session')
      this.#joinSession(prefix, key, windowing.gapMs, value, moment)
    else this.#addToWindows(prefix, key, windowsOf(windowing, moment.time), value, moment)
  }

  due(entry: StateKey): void {
    const { state, timers, emit, keepMs, graceMs, result, count } = this.#parts
    const bytes = state.get(entry)
    if (bytes === undefined) return
    const kept = keptResultIn(bytes, this.#parts)
    if (kept.isClosed || keepMs === 0) state.delete(entry)
    if (kept.isClosed) return
    count('closed')
    if (keepMs > 0) {
      state.put(entry, writtenResult(this.#parts, { ...kept, isClosed: true }))
      timers.set(kept.end + graceMs + keepMs, entry)
    }
    if (emit !== 'close') return
    const { key, start } = placeIn(entry, this.name)
    const window = { start, end: kept.end }
    // Its last millisecond: in a longer window behind this one it counts where its values would have.
    const time = kept.end - 1
    result({ key, window, value: kept.value }, { key, time, cause: undefined, of: undefined })
  }

  recordOf(): undefined {
    return undefined
  }

  dueTimeOf(_entry: StateKey, bytes: Buffer): number | undefined {
    const { windowing, graceMs, keepMs } = this.#parts
    if (windowing === undefined) return undefined
    const { end, isClosed } = keptResultIn(bytes, this.#parts)
    return end + graceMs + (isClosed ? keepMs : 0)
  }

  #addToWindows(
    prefix: StateKey,
    key: StateKey,
    windows: readonly TimeWindow[],
    value: Value,
    moment: Moment,
  ): void {
    const open = windows.filter(({ end }) => !this.#isClosed(end))
    for (const window of open) {
      this.#add(prefix + orderedNumber(window.start), key, window, value, moment)
    }
    if (open.length === 0) this.#tellLate(value, moment)
  }

  #joinSession(prefix: StateKey, key: StateKey, gapMs: number, value: Value, moment: Moment): void {
    const { state, timers, merge, add, graceMs } = this.#parts
    const { time } = moment
    let window = { start: time, end: time + gapMs }
    let joined: Result | undefined
    const behindEnd = prefix + orderedNumber(window.end + 1)
    const entries = [...state.range(prefix, behindEnd)].map((entry) => ({
      entry: entry.key,
      start: placeIn(entry.key, this.name).start,
      ...keptResultIn(entry.value, this.#parts),
    }))
    // A session ends a gap behind its last event: those that touch are one.
    const touching = entries.filter(({ end, isClosed }) => !isClosed && end >= time)
    for (const { entry, start, end, value: other } of touching) {
      window = { start: Math.min(window.start, start), end: Math.max(window.end, end) }
      joined = joined === undefined ? other : (merge as NonNullable<typeof merge>)(joined, other)
      state.delete(entry)
      timers.clear(end + graceMs, entry)
    }
    if (touching.length === 0 && this.#isClosed(window.end)) {
      this.#tellLate(value, moment)
      return
    }
    const result = add(joined, value, time)
    this.#keep(prefix + orderedNumber(window.start), key, window, result, moment)
  }

  #add(
    entry: StateKey,
    key: StateKey,
    window: TimeWindow | undefined,
    value: Value,
    moment: Moment,
  ): void {
    const { state, add } = this.#parts
    const bytes = state.get(entry)
    const before = bytes === undefined ? undefined : keptResultIn(bytes, this.#parts).value
    this.#keep(entry, key, window, add(before, value, moment.time), moment, bytes !== undefined)
  }

  #keep(
    entry: StateKey,
    key: StateKey,
    window: TimeWindow | undefined,
    value: Result,
    moment: Moment,
    isKnown = false,
  ): void {
    const { state, timers, graceMs, emit, result } = this.#parts
    state.put(entry, writtenResult(this.#parts, { end: window?.end ?? 0, isClosed: false, value }))
    if (window !== undefined && !isKnown) timers.set(window.end + graceMs, entry)
    if (emit === 'update') result({ key, window, value }, moment)
  }

  #isClosed(end: number): boolean {
    return end + this.#parts.graceMs < this.#parts.time()
  }

  #tellLate(value: Value, moment: Moment): void {
    this.#parts.count('late')
    this.#parts.late(value, moment)
  }

  #prefix(key: StateKey): StateKey {
    return this.name + nameEnd + measured(key)
  }
}
