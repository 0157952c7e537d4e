/**
 * A list of numbers in a typed array that grows: a history of a million operations has several
 * million rows, and boxed numbers would cost ten times as much.
 */
export class Column {
  #cells: Int32Array | Float64Array
  #length = 0

  /**
   * `integer` holds what fits in 32 bits, `offset` any safe integer. With the right `capacity` it
   * never grows: what it grows out of weighs on the collector, which then walks the whole history.
   */
  constructor(kind: 'integer' | 'offset', capacity = 64) {
    this.#cells = kind === 'integer' ? new Int32Array(capacity) : new Float64Array(capacity)
  }

  /** A column of `length` rows that all hold `value`. */
  static filled(length: number, value: number): Column {
    const column = new Column('integer')
    column.#cells = new Int32Array(length).fill(value)
    column.#length = length
    return column
  }

  get length(): number {
    return this.#length
  }

  /** Answers the row that was added. */
  push(value: number): number {
    const row = this.#length
    if (row === this.#cells.length) this.#grow()
    this.#cells[row] = value
    this.#length = row + 1
    return row
  }

  get(row: number): number {
    const value = this.#cells[row]
    if (value === undefined || row >= this.#length) throw outside(row, this.#length)
    return value
  }

  set(row: number, value: number): void {
    if (row < 0 || row >= this.#length) throw outside(row, this.#length)
    this.#cells[row] = value
  }

  #grow(): void {
    const capacity = Math.max(64, this.#cells.length * 2)
    const grown =
      this.#cells instanceof Int32Array ? new Int32Array(capacity) : new Float64Array(capacity)
    grown.set(this.#cells)
    this.#cells = grown
  }
}

/** The item of a list that must be there. */
export function itemAt<Item>(list: readonly Item[], position: number): Item {
  const item = list[position]
  if (item === undefined) throw outside(position, list.length)
  return item
}

/** The first position in ascending numbers whose number is at least `bound`; the length if none is. */
export function lowerBound(
  ascending: { readonly length: number; get(row: number): number },
  bound: number,
): number {
  let from = 0
  let to = ascending.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (ascending.get(middle) < bound) from = middle + 1
    else to = middle
  }
  return from
}

function outside(row: number, length: number): RangeError {
  return new RangeError(`row ${row} is outside of a list of ${length}`)
}
