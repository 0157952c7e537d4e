import type { BoundedOutput } from './bounded-output.ts'
import { copyLiterals, copyMatch } from './copy.ts'
import { BackwardBits, malformedZstd } from './zstd-bits.ts'
import type { ZstdBlock } from './zstd-bits.ts'
import {
  buildFseTable,
  firstRow,
  nextRow,
  readFseTable,
  singleSymbolTable,
  symbolOf,
} from './zstd-fse.ts'
import type { FseTable } from './zstd-fse.ts'
import { zstdBlockBytesMax } from './zstd-literals.ts'
import type { Literals } from './zstd-literals.ts'

/*
 * The sequences of a block: each copies some literals, then repeats earlier output.
 *
 *   section   count, [modes u8, [table of literal lengths], [of offsets], [of match lengths], bits]
 *   count     1 byte below 128, or (first - 128) * 256 + second, or 255 and u16 LE + 0x7f00
 *   modes     2 bits each, from the highest: literal lengths, offsets, match lengths, 0
 *             0 the predefined table, 1 one symbol (u8), 2 a described table, 3 the table before
 *
 * The bits are read backwards. They start with the three states; then each sequence has the extra
 * bits of its offset, match length and literal length, and the bits to the next states.
 */

/** Symbols below 16 (literals) or 32 (matches) are lengths; the others start here, with extra bits. */
const literalExtra = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
const matchExtra = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]

const literalLengths = makeLengths(16, 0, literalExtra)
const matchLengths = makeLengths(32, 3, matchExtra)

interface Lengths {
  readonly bases: Int32Array
  readonly extraBits: Uint8Array
}

function makeLengths(plainCount: number, first: number, extra: readonly number[]): Lengths {
  const extraBits = Uint8Array.from([...new Array<number>(plainCount).fill(0), ...extra])
  const bases = new Int32Array(extraBits.length)
  let base = first
  for (let symbol = 0; symbol < bases.length; symbol++) {
    bases[symbol] = base
    base += 1 << (extraBits[symbol] as number)
  }
  return { bases, extraBits }
}

interface TableKind {
  readonly accuracyMax: number
  readonly symbolMax: number
  readonly predefined: FseTable
}

/** How symbols are shared out, in runs of [share, how many symbols]. */
function predefined(accuracy: number, runs: readonly (readonly [number, number])[]): FseTable {
  const shares = runs.flatMap(([share, count]) => new Array<number>(count).fill(share))
  return buildFseTable(shares, accuracy)
}

// Built when the first compressed block is read, not when the module is loaded.
let tableKinds: readonly [TableKind, TableKind, TableKind] | undefined

/** Of literal lengths, offsets and match lengths, in this order everywhere. */
function makeTableKinds(): readonly [TableKind, TableKind, TableKind] {
  const literals = predefined(6, [
    [4, 1],
    [3, 1],
    [2, 11],
    [1, 3],
    [2, 9],
    [3, 1],
    [2, 1],
    [1, 5],
    [-1, 4],
  ])
  const offsets = predefined(5, [
    [1, 6],
    [2, 3],
    [1, 15],
    [-1, 5],
  ])
  const matches = predefined(6, [
    [1, 1],
    [4, 1],
    [3, 1],
    [2, 6],
    [1, 37],
    [-1, 7],
  ])
  return [
    { accuracyMax: 9, symbolMax: literalLengths.bases.length - 1, predefined: literals },
    { accuracyMax: 8, symbolMax: 31, predefined: offsets },
    { accuracyMax: 9, symbolMax: matchLengths.bases.length - 1, predefined: matches },
  ]
}

/** Executes sequences. Keeps the tables and the last three offsets from block to block of a frame. */
export class SequenceDecoder {
  readonly #tables: (FseTable | undefined)[] = [undefined, undefined, undefined]
  readonly #recentOffsets: [number, number, number] = [1, 4, 8]

  /** Decodes the sequences of `block`, and appends its content to `output`. */
  run(block: ZstdBlock, literals: Literals, windowStart: number, output: BoundedOutput): void {
    const count = readCount(block, literals.sectionEnd)
    const blockEnd = output.length + zstdBlockBytesMax
    let literal = literals.start
    if (count.value > 0) {
      const bitsStart = this.#readTables(block, count.end)
      const bits = new BackwardBits(block, bitsStart, block.end)
      literal = this.#execute(bits, count.value, literals, windowStart, output)
    }
    const rest = literals.end - literal
    if (rest > blockEnd - output.length) throw malformedZstd('a block is too large')
    output.reserve(rest)
    copyLiterals(literals.bytes, literal, output.bytes, output.length, rest)
    output.length += rest
  }

  #readTables(block: ZstdBlock, start: number): number {
    if (start >= block.end) throw malformedZstd('sequences are cut off')
    const modes = block.view.getUint8(start)
    if ((modes & 3) !== 0) throw malformedZstd('reserved bits are set')
    const kinds = (tableKinds ??= makeTableKinds())
    let position = start + 1
    for (const [index, kind] of kinds.entries()) {
      const mode = (modes >>> (6 - 2 * index)) & 3
      if (mode === 0) {
        this.#tables[index] = kind.predefined
      } else if (mode === 1) {
        if (position >= block.end) throw malformedZstd('sequences are cut off')
        const symbol = block.view.getUint8(position++)
        if (symbol > kind.symbolMax) throw malformedZstd(`a symbol of ${symbol}`)
        this.#tables[index] = singleSymbolTable(symbol)
      } else if (mode === 2) {
        const described = readFseTable(block, position, kind.accuracyMax, kind.symbolMax)
        this.#tables[index] = described.table
        position = described.end
      }
    }
    return position
  }

  /** Answers where the literals begin that are left behind the last sequence. */
  #execute(
    bits: BackwardBits,
    count: number,
    literals: Literals,
    windowStart: number,
    output: BoundedOutput,
  ): number {
    const [literalTable, offsetTable, matchTable] = this.#tables
    if (literalTable === undefined || offsetTable === undefined || matchTable === undefined) {
      throw malformedZstd('sequences without a table')
    }
    let literalRow = firstRow(literalTable, bits)
    let offsetRow = firstRow(offsetTable, bits)
    let matchRow = firstRow(matchTable, bits)
    const blockEnd = output.length + zstdBlockBytesMax
    let bytes = output.bytes
    let to = output.length
    let literal = literals.start
    for (let left = count; ;) {
      const offsetValue = readOffset(bits, symbolOf(offsetRow))
      const matchBytes = readLength(bits, matchLengths, symbolOf(matchRow))
      const literalBytes = readLength(bits, literalLengths, symbolOf(literalRow))
      if (bits.left < 0) throw malformedZstd('the bits of sequences end early')
      if (literalBytes > literals.end - literal) throw malformedZstd('literals are missing')
      if (literalBytes + matchBytes > blockEnd - to) throw malformedZstd('a block is too large')
      if (literalBytes + matchBytes > bytes.length - to) {
        output.length = to
        output.reserve(literalBytes + matchBytes)
        bytes = output.bytes
      }
      copyLiterals(literals.bytes, literal, bytes, to, literalBytes)
      literal += literalBytes
      to += literalBytes
      const offset = this.#offset(offsetValue, literalBytes === 0)
      if (offset > to - windowStart) throw malformedZstd(`offset ${offset} leads out of the frame`)
      copyMatch(bytes, to, offset, matchBytes)
      to += matchBytes
      if (--left === 0) break
      literalRow = nextRow(literalTable, literalRow, bits)
      matchRow = nextRow(matchTable, matchRow, bits)
      offsetRow = nextRow(offsetTable, offsetRow, bits)
    }
    if (bits.left !== 0) throw malformedZstd('bits are left behind the sequences')
    output.length = to
    return literal
  }

  /** Values 1 to 3 name a recent offset; without literals the most recent one is not among them. */
  #offset(value: number, withoutLiterals: boolean): number {
    const recent = this.#recentOffsets
    if (value > 3) {
      recent[2] = recent[1]
      recent[1] = recent[0]
      return (recent[0] = value - 3)
    }
    const index = withoutLiterals ? value : value - 1
    if (index === 0) return recent[0]
    const offset = index === 3 ? recent[0] - 1 : (recent[index] as number)
    if (offset === 0) throw malformedZstd('an offset of 0')
    if (index !== 1) recent[2] = recent[1]
    recent[1] = recent[0]
    return (recent[0] = offset)
  }
}

/** `2^symbol` plus `symbol` bits. */
function readOffset(bits: BackwardBits, symbol: number): number {
  if (symbol <= 24) return (1 << symbol) + bits.read(symbol)
  const high = bits.read(symbol - 16)
  return 2 ** symbol + high * 65_536 + bits.read(16)
}

function readLength(bits: BackwardBits, lengths: Lengths, symbol: number): number {
  return (lengths.bases[symbol] as number) + bits.read(lengths.extraBits[symbol] as number)
}

function readCount(block: ZstdBlock, start: number): { value: number; end: number } {
  const { view } = block
  const available = block.end - start
  const first = available > 0 ? view.getUint8(start) : 0
  const size = first < 128 ? 1 : first < 255 ? 2 : 3
  if (available < size) throw malformedZstd('the count of sequences is cut off')
  if (size === 1 && first === 0 && available > 1) throw malformedZstd('bytes behind the literals')
  if (size === 1) return { value: first, end: start + 1 }
  if (size === 2) return { value: ((first - 128) << 8) + view.getUint8(start + 1), end: start + 2 }
  return { value: view.getUint16(start + 1, true) + 0x7f00, end: start + 3 }
}
