import { highestBit, malformedZstd } from './zstd-bits.ts'
import type { BackwardBits, ZstdBlock } from './zstd-bits.ts'

/*
 * Finite state entropy: a table with a row per state. A state stands for a symbol; the next state is
 * the row's base plus as many bits as the row says.
 */

/** A decoding table of 2^`accuracy` states. */
export interface FseTable {
  readonly accuracy: number
  /** For each state its symbol in bits 24-31, the count of bits in 16-23, the base in 0-15. */
  readonly rows: Int32Array
}

/** The table of one symbol, which takes no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return { accuracy: 0, rows: Int32Array.of(symbol << 24) }
}

/** The row of the first state that `bits` tell. */
export function firstRow(table: FseTable, bits: BackwardBits): number {
  return table.rows[bits.read(table.accuracy)] as number
}

/** The row behind `row`. */
export function nextRow(table: FseTable, row: number, bits: BackwardBits): number {
  return table.rows[(row & 0xffff) + bits.read((row >>> 16) & 0xff)] as number
}

/** The symbol that `row` stands for. */
export function symbolOf(row: number): number {
  return row >>> 24
}

/**
 * Builds the table in which symbol `s` has `shares[s]` of the states. A share of -1 is one state at
 * the table's end, which takes the full number of bits.
 */
export function buildFseTable(shares: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy
  const rows = new Int32Array(size)
  let end = size
  for (let symbol = 0; symbol < shares.length; symbol++) {
    if (shares[symbol] === -1) rows[--end] = symbol
  }
  const step = (size >> 1) + (size >> 3) + 3
  let state = 0
  for (let symbol = 0; symbol < shares.length; symbol++) {
    for (let count = shares[symbol] as number; count > 0; count--) {
      rows[state] = symbol
      do state = (state + step) & (size - 1)
      while (state >= end)
    }
  }
  const ranks = shares.map(Math.abs)
  for (let row = 0; row < size; row++) {
    const symbol = rows[row] as number
    const rank = ranks[symbol] as number
    ranks[symbol] = rank + 1
    const bits = accuracy - highestBit(rank)
    rows[row] = (symbol << 24) | (bits << 16) | ((rank << bits) - size)
  }
  return { accuracy, rows }
}

/** Reads the description of a table from `start` on; answers the table and where it ends. */
export function readFseTable(
  block: ZstdBlock,
  start: number,
  accuracyMax: number,
  symbolMax: number,
): { table: FseTable; end: number } {
  const bits = new ForwardBits(block, start)
  const accuracy = bits.read(4) + 5
  if (accuracy > accuracyMax) throw malformedZstd(`a table of 2^${accuracy} states`)
  const shares: number[] = []
  let rest = 1 << accuracy
  while (rest > 0) {
    // Shares up to `rest` are possible, and -1: of these rest + 2 values the low ones take a bit less.
    const width = highestBit(rest + 1) + 1
    const shortCount = (1 << width) - 2 - rest
    let value = bits.read(width - 1)
    if (value >= shortCount) {
      value += bits.read(1) << (width - 1)
      if (value >= 1 << (width - 1)) value -= shortCount
    }
    const share = value - 1
    shares.push(share)
    rest -= Math.abs(share)
    if (share === 0) skipZeros(bits, shares, symbolMax)
    if (shares.length > symbolMax + 1) throw malformedZstd('a table has too many symbols')
  }
  if (rest < 0) throw malformedZstd('the shares of a table do not add up')
  return { table: buildFseTable(shares, accuracy), end: bits.end() }
}

/** A share of 0 is followed by how many more are 0; 3 means three, and again a count. */
function skipZeros(bits: ForwardBits, shares: number[], symbolMax: number): void {
  for (let count = 3; count === 3 && shares.length <= symbolMax + 1;) {
    count = bits.read(2)
    for (let zero = 0; zero < count; zero++) shares.push(0)
  }
}

/** Bits of a block that are read from the lowest of the first byte on. */
class ForwardBits {
  readonly #block: ZstdBlock
  #position: number

  constructor(block: ZstdBlock, start: number) {
    this.#block = block
    this.#position = start * 8
  }

  /** The next `count` bits, at most 25. */
  read(count: number): number {
    const position = this.#position
    this.#position += count
    if (this.end() > this.#block.end) throw malformedZstd('a table is cut off')
    const word = this.#block.view.getInt32(position >>> 3, true)
    return (word >>> (position & 7)) & ((1 << count) - 1)
  }

  /** The byte behind the last bit read. */
  end(): number {
    return (this.#position + 7) >>> 3
  }
}
