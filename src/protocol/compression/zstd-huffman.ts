import { BackwardBits, endOfBits, highestBit, malformedZstd } from './zstd-bits.ts'
import type { ZstdBlock } from './zstd-bits.ts'
import { firstRow, nextRow, readFseTable, symbolOf } from './zstd-fse.ts'

/*
 * Literals are Huffman coded. A symbol of weight w > 0 has a code of bitsMax + 1 - w bits; weight 0
 * is a symbol that does not occur. The weight of the last symbol is not sent: it makes the codes
 * complete.
 *
 *   tree     header u8 >= 128: header - 127 weights of 4 bits each, the high half first
 *            header u8 < 128: weights in so many bytes, coded by finite state entropy
 */

const codeBitsMax = 11
const weightAccuracyMax = 6
const symbolCountMax = 256

/** A decoding table: for the next `bits` bits a symbol in the low byte, its code's length above. */
export interface HuffmanTable {
  readonly bits: number
  readonly entries: Uint16Array
}

/** Reads the description of a tree from `start` on; answers its table and where it ends. */
export function readHuffmanTable(
  block: ZstdBlock,
  start: number,
): { table: HuffmanTable; end: number } {
  const header = start < block.end ? (block.bytes[start] as number) : 0
  const end = start + 1 + (header < 128 ? header : (header - 126) >> 1)
  if (end > block.end) throw malformedZstd('a tree is cut off')
  const weights =
    header < 128
      ? readCodedWeights(block, start + 1, end)
      : readPlainWeights(block, start + 1, header - 127)
  return { table: buildHuffmanTable(weights), end }
}

function readPlainWeights(block: ZstdBlock, start: number, count: number): number[] {
  const weights: number[] = []
  for (let index = 0; index < count; index++) {
    const byte = block.bytes[start + (index >> 1)] as number
    weights.push(index % 2 === 0 ? byte >>> 4 : byte & 15)
  }
  return weights
}

function readCodedWeights(block: ZstdBlock, start: number, end: number): number[] {
  const { table, end: tableEnd } = readFseTable(block, start, weightAccuracyMax, codeBitsMax + 1)
  if (tableEnd > end) throw malformedZstd('the weights of a tree are cut off')
  const bits = new BackwardBits(block, tableEnd, end)
  // Two states take turns, until one asks for more bits than are left; the other has the last word.
  let current = firstRow(table, bits)
  let other = firstRow(table, bits)
  const weights: number[] = []
  while (weights.length < symbolCountMax - 1) {
    weights.push(symbolOf(current))
    const next = nextRow(table, current, bits)
    current = other
    other = next
    if (bits.left < 0) {
      weights.push(symbolOf(current))
      return weights
    }
  }
  throw malformedZstd('a tree has too many weights')
}

function buildHuffmanTable(weights: number[]): HuffmanTable {
  let filled = 0
  for (const weight of weights) {
    if (weight > codeBitsMax) throw malformedZstd(`a weight of ${weight}`)
    if (weight > 0) filled += 1 << (weight - 1)
  }
  if (filled === 0) throw malformedZstd('a tree without symbols')
  const bits = highestBit(filled) + 1
  if (bits > codeBitsMax) throw malformedZstd(`codes of ${bits} bits`)
  const rest = (1 << bits) - filled
  if ((rest & (rest - 1)) !== 0) throw malformedZstd('the weights of a tree do not add up')
  weights.push(highestBit(rest) + 1)
  // Longer codes come first in the table, and symbols of the same length in their own order.
  const positions = new Uint16Array(codeBitsMax + 2)
  for (const weight of weights) {
    if (weight > 0) positions[weight + 1] = (positions[weight + 1] as number) + (1 << (weight - 1))
  }
  for (let weight = 1; weight < positions.length; weight++) {
    positions[weight] = (positions[weight] as number) + (positions[weight - 1] as number)
  }
  const entries = new Uint16Array(1 << bits)
  for (let symbol = 0; symbol < weights.length; symbol++) {
    const weight = weights[symbol] as number
    if (weight === 0) continue
    const start = positions[weight] as number
    const end = start + (1 << (weight - 1))
    positions[weight] = end
    entries.fill(((bits + 1 - weight) << 8) | symbol, start, end)
  }
  return { bits, entries }
}

/**
 * Decodes the stream that lies in `block` from `start` to `end` into `target` from `position` to
 * `targetEnd`, and fills that.
 */
export function decodeHuffmanStream(
  table: HuffmanTable,
  block: ZstdBlock,
  start: number,
  end: number,
  target: Uint8Array,
  position: number,
  targetEnd: number,
): void {
  const { bits, entries } = table
  const view = block.view
  const mask = entries.length - 1
  const streamStart = start * 8
  let bit = endOfBits(block, start, end)
  // Two codes have at most 22 bits, which one load brings.
  const firstShift = 22 - bits
  while (position < targetEnd - 1 && bit - 22 >= streamStart) {
    const from = bit - 22
    const window = view.getInt32(from >>> 3, true) >>> (from & 7)
    const first = entries[(window >>> firstShift) & mask] as number
    const second = entries[(window >>> (firstShift - (first >>> 8))) & mask] as number
    target[position] = first
    target[position + 1] = second
    position += 2
    bit -= (first >>> 8) + (second >>> 8)
  }
  while (position < targetEnd) {
    const missing = Math.max(0, streamStart + bits - bit)
    const from = bit - bits + missing
    const window = (view.getInt32(from >>> 3, true) >>> (from & 7)) << missing
    const entry = entries[window & mask] as number
    target[position++] = entry
    bit -= entry >>> 8
    if (bit < streamStart) break
  }
  if (bit !== streamStart || position !== targetEnd) {
    throw malformedZstd('a stream of literals has the wrong length')
  }
}
