import { malformedZstd } from './zstd-bits.ts'
import type { ZstdBlock } from './zstd-bits.ts'
import { decodeHuffmanStream, readHuffmanTable } from './zstd-huffman.ts'
import type { HuffmanTable } from './zstd-huffman.ts'

/*
 * The literals of a block; numbers are little-endian, fields start at the lowest bit:
 *
 *   raw        00, size format 2, size 5/12/20, bytes
 *   repeated   01, size format 2, size 5/12/20, one byte
 *   coded      10, size format 2, size 10/10/14/18, coded size 10/10/14/18, tree, streams
 *   treeless   11, as coded, without the tree: that of the block before is used
 *
 * Size format 0 of the coded ones is one stream; the others are four, of which the first three have
 * their sizes (u16) in front.
 */

/** No block has more content than this. */
export const zstdBlockBytesMax = 131_072

/** The literals of one block: `bytes` from `start` to `end`. */
export interface Literals {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Where the block goes on behind them. */
  readonly sectionEnd: number
}

/** Decodes literals. Keeps the tree of the last block, which the next one may use again. */
export class LiteralsDecoder {
  #table: HuffmanTable | undefined
  #decoded: Uint8Array = new Uint8Array(0)

  /** Forgets the tree of the frame before. */
  reset(): void {
    this.#table = undefined
  }

  /** Reads the literals of `block`, which is not empty. They are valid until the next call. */
  read(block: ZstdBlock): Literals {
    const { bytes, view } = block
    const first = view.getUint8(0)
    const kind = first & 3
    const sizeFormat = (first >>> 2) & 3
    if (kind >= 2) return this.#readCoded(block, kind === 2, sizeFormat)
    // What the header lacks of four bytes is padding, and is masked away.
    const word = view.getUint32(0, true)
    const headerBytes = (sizeFormat & 1) === 0 ? 1 : sizeFormat === 1 ? 2 : 3
    const size =
      headerBytes === 1 ? first >>> 3 : (word >>> 4) & (headerBytes === 2 ? 0xfff : 0xfffff)
    const sectionEnd = headerBytes + (kind === 0 ? size : 1)
    if (size > zstdBlockBytesMax || sectionEnd > block.end)
      throw malformedZstd('literals are cut off')
    if (kind === 0) return { bytes, start: headerBytes, end: sectionEnd, sectionEnd }
    const repeated = this.#room(size).fill(view.getUint8(headerBytes), 0, size)
    return { bytes: repeated, start: 0, end: size, sectionEnd }
  }

  #readCoded(block: ZstdBlock, hasTree: boolean, sizeFormat: number): Literals {
    const sizeBits = sizeFormat < 2 ? 10 : sizeFormat === 2 ? 14 : 18
    const headerBytes = sizeFormat < 2 ? 3 : sizeFormat + 2
    const word = block.view.getUint32(0, true) + block.view.getUint8(4) * 2 ** 32
    const size = Math.floor(word / 16) % 2 ** sizeBits
    const sectionEnd = headerBytes + (Math.floor(word / 2 ** (4 + sizeBits)) % 2 ** sizeBits)
    if (size > zstdBlockBytesMax || sectionEnd > block.end)
      throw malformedZstd('literals are cut off')
    let start = headerBytes
    if (hasTree) {
      const { table, end } = readHuffmanTable(block, start)
      this.#table = table
      start = end
    }
    if (this.#table === undefined) throw malformedZstd('literals without a tree')
    const bytes = this.#room(size)
    if (sizeFormat !== 0) decodeFourStreams(this.#table, block, start, sectionEnd, bytes, size)
    else decodeHuffmanStream(this.#table, block, start, sectionEnd, bytes, 0, size)
    return { bytes, start: 0, end: size, sectionEnd }
  }

  #room(size: number): Uint8Array {
    if (size > this.#decoded.length) this.#decoded = new Uint8Array(size)
    return this.#decoded
  }
}

function decodeFourStreams(
  table: HuffmanTable,
  block: ZstdBlock,
  start: number,
  end: number,
  target: Uint8Array,
  size: number,
): void {
  const partBytes = (size + 3) >> 2
  if (start + 6 > end || 3 * partBytes > size) throw malformedZstd('streams are cut off')
  let from = start + 6
  for (let stream = 0; stream < 4; stream++) {
    const to = stream < 3 ? from + block.view.getUint16(start + 2 * stream, true) : end
    if (to > end) throw malformedZstd('a stream of literals is cut off')
    const partEnd = stream < 3 ? (stream + 1) * partBytes : size
    decodeHuffmanStream(table, block, from, to, target, stream * partBytes, partEnd)
    from = to
  }
}
