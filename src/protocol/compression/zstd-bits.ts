import { ProtocolError } from '../../errors.ts'

/** The error for Zstandard bytes that break the format. */
export function malformedZstd(problem: string): ProtocolError {
  return new ProtocolError(`zstd: ${problem}`)
}

/** The position of the highest bit that is set in `value`, which is above 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value)
}

const paddingBytes = 4

/**
 * The bytes of a compressed block, copied to where four more follow: so bits can be loaded four
 * bytes at a time without asking each time whether there are so many.
 */
export class ZstdBlock {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  /** The block lies from 0 to here. */
  end = 0

  load(source: Uint8Array, start: number, end: number): void {
    this.end = end - start
    if (this.end + paddingBytes > this.bytes.length) {
      this.bytes = new Uint8Array(this.end + paddingBytes)
      this.view = new DataView(this.bytes.buffer)
    }
    this.bytes.set(source.subarray(start, end))
  }
}

/** The position of the mark that ends the bits from byte `start` to byte `end`. */
export function endOfBits(block: ZstdBlock, start: number, end: number): number {
  const last = start < end ? (block.bytes[end - 1] as number) : 0
  if (last === 0) throw malformedZstd('bits without an end mark')
  return (end - 1) * 8 + highestBit(last)
}

/**
 * Bits of a block that are read from their end to their start, as Zstandard writes them. The last
 * byte's highest bit that is set marks the end; the bits below it are the first to be read.
 */
export class BackwardBits {
  readonly #view: DataView
  readonly #start: number
  #position: number

  /** The bits lie in `block` from byte `start` to byte `end`. */
  constructor(block: ZstdBlock, start: number, end: number) {
    this.#view = block.view
    this.#start = start * 8
    this.#position = endOfBits(block, start, end)
  }

  /** How many bits are left. Below 0 once more was read than there was: then zeros were read. */
  get left(): number {
    return this.#position - this.#start
  }

  /** The next `count` bits, at most 25. */
  read(count: number): number {
    const position = (this.#position -= count)
    if (position < this.#start) return this.#readBeyondStart(count)
    return (this.#view.getInt32(position >>> 3, true) >>> (position & 7)) & ((1 << count) - 1)
  }

  #readBeyondStart(count: number): number {
    const missing = this.#start - this.#position
    if (missing >= count) return 0
    return (this.#view.getInt32(this.#start >>> 3, true) << missing) & ((1 << count) - 1)
  }
}
