import { Column, itemAt, lowerBound } from './column.ts'
import type { ValueTable } from './value-table.ts'

/**
 * The records of one key in the order of their offsets, without the holes that transaction markers
 * and aborted records leave. Two neighbours here are neighbours for a reader of committed records.
 */
export class VersionOrder {
  readonly #offsets = new Column('offset')
  readonly #values = new Column('integer')
  /** Offsets that were seen with several values, with all of them. Sane logs have none. */
  readonly conflicts = new Map<number, readonly number[]>()
  #recentPosition = 0

  get length(): number {
    return this.#offsets.length
  }

  offsetAt(position: number): number {
    return this.#offsets.get(position)
  }

  /** The value at this place; where several were seen, the first of them. */
  valueAt(position: number): number {
    return this.#values.get(position)
  }

  /** -1 when nothing but aborted records was seen there. */
  positionOf(offset: number): number {
    // Reads come in runs: the next one asked for is mostly the next one there is.
    const next = this.#recentPosition + 1
    const position =
      next < this.length && this.#offsets.get(next) === offset
        ? next
        : lowerBound(this.#offsets, offset)
    if (position >= this.length || this.#offsets.get(position) !== offset) return -1
    this.#recentPosition = position
    return position
  }

  /** All values seen at an offset, in ascending order of offsets. */
  append(offset: number, seen: readonly number[], values: ValueTable): void {
    if (seen.length > 1) this.conflicts.set(offset, seen)
    const committed = seen.filter((value) => !values.isAborted(value))
    const first = committed[0]
    if (first === undefined) return
    const position = this.#offsets.push(offset)
    this.#values.push(first)
    for (const value of committed) values.place(value, position)
  }
}

/** The version orders of all keys, by key. */
export function orderVersions(keyCount: number, values: ValueTable): VersionOrder[] {
  const places = Array.from({ length: keyCount }, () => new Places())
  for (let value = 0; value < values.length; value += 1) {
    const place = itemAt(places, values.key(value))
    for (const offset of values.offsets(value)) place.add(offset, value)
  }
  return places.map((place) => place.order(values))
}

/** What was seen where in one key, not yet in order. */
class Places {
  readonly #offsets: number[] = []
  readonly #values: number[] = []

  add(offset: number, value: number): void {
    this.#offsets.push(offset)
    this.#values.push(value)
  }

  order(values: ValueTable): VersionOrder {
    const order = new VersionOrder()
    const rows = this.#offsets.map((_, row) => row)
    // Values are numbered as they were sent or read, so this is nearly sorted and nearly linear.
    rows.sort((left, right) => itemAt(this.#offsets, left) - itemAt(this.#offsets, right))
    let seen: number[] = []
    let current = -1
    for (const row of rows) {
      const offset = itemAt(this.#offsets, row)
      if (offset !== current && seen.length > 0) {
        order.append(current, seen, values)
        seen = []
      }
      current = offset
      seen.push(itemAt(this.#values, row))
    }
    if (seen.length > 0) order.append(current, seen, values)
    return order
  }
}
