import { ProtocolError } from '../../errors.ts'

/*
 * Records have their numbers as varints: zigzag (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), then seven
 * bits a byte, the lowest first, and the highest bit of a byte says that another follows. 32 bits take
 * at most 5 bytes, 64 bits at most 10.
 */

/** Reads varints one after another, never beyond `limit`. */
export class VarintReader {
  readonly bytes: Buffer
  position: number
  limit: number

  constructor(bytes: Buffer, position: number, limit: number) {
    this.bytes = bytes
    this.position = position
    this.limit = limit
  }

  /** A number of 32 bits. Most have one byte or two. */
  varint(): number {
    const position = this.position
    if (position + 1 < this.limit) {
      const first = this.bytes[position] as number
      if (first < 0x80) {
        this.position = position + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = this.bytes[position + 1] as number
      if (second < 0x80) {
        this.position = position + 2
        return ((second << 6) | ((first & 0x7f) >>> 1)) ^ -(first & 1)
      }
    }
    return this.#longVarint()
  }

  /** A number of 64 bits. Beyond 2^53 it is near the one that was written, not always the nearest. */
  varlong(): number {
    const position = this.position
    if (position + 1 < this.limit) {
      const first = this.bytes[position] as number
      if (first < 0x80) {
        this.position = position + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = this.bytes[position + 1] as number
      if (second < 0x80) {
        this.position = position + 2
        return ((second << 6) | ((first & 0x7f) >>> 1)) ^ -(first & 1)
      }
    }
    return this.#longVarlong()
  }

  malformed(problem: string): ProtocolError {
    return new ProtocolError(`record: ${problem} at byte ${this.position}`)
  }

  #longVarint(): number {
    let bits = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      if (shift === 28 && byte > 0x0f) break
      bits |= (byte & 0x7f) << shift
      if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1)
    }
    throw this.malformed('a number has more than 32 bits')
  }

  #longVarlong(): number {
    // The 64 bits in pieces of 28, 28 and 8, each exact.
    const pieces: [number, number, number] = [0, 0, 0]
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte()
      if (index === 9 && byte > 1) break
      const piece = index >> 2
      pieces[piece as 0 | 1 | 2] |= (byte & 0x7f) << (7 * (index & 3))
      if (byte >= 0x80) continue
      const [low, middle, high] = pieces
      const half = (high * 2 ** 56 + middle * 2 ** 28 + (low & ~1)) / 2
      return (low & 1) === 0 ? half : -half - 1
    }
    throw this.malformed('a number has more than 64 bits')
  }

  #byte(): number {
    if (this.position >= this.limit) throw this.malformed('it ends inside of a number')
    return this.bytes[this.position++] as number
  }
}

/** How many bytes `value`, of 32 bits, takes. */
export function varintBytes(value: number): number {
  const bits = 32 - Math.clz32((value << 1) ^ (value >> 31))
  return bits <= 7 ? 1 : Math.ceil(bits / 7)
}

/** How many bytes `value`, a whole number, takes. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value)
  let size = 1
  for (let rest = magnitude(value) / 64; rest >= 1; rest /= 128) size++
  return size
}

/** Writes `value`, of 32 bits; answers where it ends. */
export function putVarint(target: Uint8Array, position: number, value: number): number {
  let bits = (value << 1) ^ (value >> 31)
  while ((bits & ~0x7f) !== 0) {
    target[position++] = (bits & 0x7f) | 0x80
    bits >>>= 7
  }
  target[position++] = bits
  return position
}

/** Writes `value`, a whole number; answers where it ends. */
export function putVarlong(target: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return putVarint(target, position, value)
  // The sign is the lowest bit of the first byte; doubling the number first would lose its last bit.
  const number = magnitude(value)
  let bits = (number % 64) * 2 + (value < 0 ? 1 : 0)
  for (let rest = Math.floor(number / 64); rest > 0; rest = Math.floor(rest / 128)) {
    target[position++] = bits | 0x80
    bits = rest % 128
  }
  target[position++] = bits
  return position
}

/** What zigzag doubles: 0, 1, 2, ... for 0, 1, 2, ... and for -1, -2, -3, ... */
function magnitude(value: number): number {
  return value < 0 ? -value - 1 : value
}
