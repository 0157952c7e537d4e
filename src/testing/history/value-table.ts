import { Column, itemAt } from './column.ts'
import type { Value } from './operation.ts'

/** The values of all keys, and where in their keys they were seen. */
export class ValueTable {
  /** By key. */
  readonly #numbers: NumberTable[] = []
  readonly #values: Value[] = []
  readonly #key: Column
  /** -1 for a value that nobody in the history sent. */
  readonly #write: Column
  /** The first offset it was seen at, -1 for none. More than one is an anomaly, and rare. */
  readonly #offset: Column
  readonly #moreOffsets = new Map<number, Set<number>>()
  readonly #firstPosition: Column
  readonly #lastPosition: Column
  /** 1 for yes. */
  readonly #read: Column
  readonly #aborted: Column

  constructor(capacity: number) {
    this.#key = new Column('integer', capacity)
    this.#write = new Column('integer', capacity)
    this.#offset = new Column('offset', capacity)
    this.#firstPosition = new Column('integer', capacity)
    this.#lastPosition = new Column('integer', capacity)
    this.#read = new Column('integer', capacity)
    this.#aborted = new Column('integer', capacity)
  }

  get length(): number {
    return this.#values.length
  }

  /** The number of a key's value, which gets one if it has none. `offset`: where it was seen. */
  intern(key: number, value: Value, offset = -1): number {
    const numbers = (this.#numbers[key] ??= new NumberTable())
    const hint = numbers.hint(offset)
    if (hint !== undefined && this.#values[hint] === value) return hint
    const number = numbers.get(value) ?? this.#add(numbers, key, value)
    if (offset >= 0) numbers.remember(offset, number)
    return number
  }

  #add(numbers: NumberTable, key: number, value: Value): number {
    const number = this.#values.push(value) - 1
    numbers.set(value, number)
    this.#key.push(key)
    this.#write.push(-1)
    this.#offset.push(-1)
    this.#firstPosition.push(-1)
    this.#lastPosition.push(-1)
    this.#read.push(0)
    this.#aborted.push(0)
    return number
  }

  /** Answers false, and changes nothing, when the value has a write already. */
  setWrite(value: number, write: number): boolean {
    if (this.#write.get(value) >= 0) return false
    this.#write.set(value, write)
    return true
  }

  /** The value was seen at this offset of its key. */
  observe(value: number, offset: number): void {
    const first = this.#offset.get(value)
    if (first === offset) return
    if (first < 0) {
      this.#offset.set(value, offset)
      return
    }
    const more = this.#moreOffsets.get(value) ?? new Set()
    more.add(offset)
    this.#moreOffsets.set(value, more)
  }

  markRead(value: number): void {
    this.#read.set(value, 1)
  }

  markAborted(value: number): void {
    this.#aborted.set(value, 1)
  }

  /** The value stands at this position of its key's version order. Called in ascending order. */
  place(value: number, position: number): void {
    if (this.#firstPosition.get(value) < 0) this.#firstPosition.set(value, position)
    this.#lastPosition.set(value, position)
  }

  value(value: number): Value {
    return itemAt(this.#values, value)
  }

  key(value: number): number {
    return this.#key.get(value)
  }

  /** Undefined for a value that nobody in the history sent. */
  write(value: number): number | undefined {
    const write = this.#write.get(value)
    return write < 0 ? undefined : write
  }

  /** All offsets it was seen at, ascending. */
  offsets(value: number): readonly number[] {
    const first = this.#offset.get(value)
    if (first < 0) return []
    const more = this.#moreOffsets.get(value)
    return more === undefined ? [first] : [first, ...more].sort((left, right) => left - right)
  }

  /** The values that were seen at more than one offset. */
  duplicates(): Iterable<number> {
    return this.#moreOffsets.keys()
  }

  /** Whether a read that ended ok had it. */
  isRead(value: number): boolean {
    return this.#read.get(value) === 1
  }

  /** Whether its writer failed: nobody may read it. */
  isAborted(value: number): boolean {
    return this.#aborted.get(value) === 1
  }

  /** Its first place in the version order of its key; -1 when it has none. */
  firstPosition(value: number): number {
    return this.#firstPosition.get(value)
  }

  /** Its last place, which differs from the first only for a duplicate; -1 when it has none. */
  lastPosition(value: number): number {
    return this.#lastPosition.get(value)
  }
}

/**
 * The numbers of one key's values. Most records are read several times, and finding a text among a
 * million is slow; so the number last seen at about each offset is kept and tried first.
 */
class NumberTable {
  readonly #numbers = new Map<Value, number>()
  /** By offset, modulo the length: a guess that whoever takes it must check. -1 for none. */
  #hints = new Int32Array(64).fill(-1)

  hint(offset: number): number | undefined {
    return offset < 0 ? undefined : this.#hints[offset % this.#hints.length]
  }

  remember(offset: number, number: number): void {
    this.#hints[offset % this.#hints.length] = number
  }

  get(value: Value): number | undefined {
    return this.#numbers.get(value)
  }

  set(value: Value, number: number): void {
    this.#numbers.set(value, number)
    if (this.#numbers.size <= this.#hints.length) return
    this.#hints = new Int32Array(this.#hints.length * 2).fill(-1)
  }
}
