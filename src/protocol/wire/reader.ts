import { ProtocolError } from '../../errors.ts'

const nullUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * Reads Kafka's primitive types from a buffer that nobody vouches for. Every read checks that the
 * bytes are there; no declared length is believed before it is compared with what is left.
 */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  position: number

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Claims `length` bytes and answers where they start. */
  take(length: number): number {
    const start = this.position
    if (length > this.end - start || length < 0) throw this.#short(length)
    this.position = start + length
    return start
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4))
  }

  /** A 64-bit integer as a number. Values that a number cannot hold exactly are refused. */
  int64(): number {
    const start = this.take(8)
    const value =
      this.buffer.readInt32BE(start) * 0x1_0000_0000 + this.buffer.readUInt32BE(start + 4)
    if (!Number.isSafeInteger(value)) {
      throw new ProtocolError(
        `64-bit integer at byte ${start} is beyond ±${Number.MAX_SAFE_INTEGER}`,
      )
    }
    return value
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw new ProtocolError(`variable-length integer before byte ${this.position} exceeds 32 bits`)
  }

  uuid(): string {
    const start = this.take(16)
    const text = this.buffer.toString('base64url', start, start + 16)
    return text === nullUuid ? nullUuid : text
  }

  text(length: number): string {
    const start = this.take(length)
    return this.buffer.toString('utf8', start, start + length)
  }

  /** A view of the next `length` bytes; it shares memory with the buffer. */
  view(length: number): Buffer {
    const start = this.take(length)
    return this.buffer.subarray(start, start + length)
  }

  /** The length of a string, -1 for null. */
  stringLength(flexible: boolean): number {
    return flexible ? this.unsignedVarint() - 1 : this.int16()
  }

  /** The length of bytes or an array, -1 for null. */
  length(flexible: boolean): number {
    return flexible ? this.unsignedVarint() - 1 : this.int32()
  }

  /** Skips a section of tagged fields, offering each to `known`, which answers whether it read it. */
  taggedFields(known?: (tag: number, reader: Reader) => boolean): void {
    const count = this.unsignedVarint()
    let previous = -1
    for (let i = 0; i < count; i++) {
      const tag = this.unsignedVarint()
      if (tag <= previous) throw new ProtocolError(`tagged field ${tag} follows ${previous}`)
      previous = tag
      const size = this.unsignedVarint()
      const start = this.take(size)
      if (known === undefined) continue
      const field = new Reader(this.buffer, start, start + size)
      if (known(tag, field) && field.remaining > 0) {
        throw new ProtocolError(`tagged field ${tag} has ${field.remaining} bytes too many`)
      }
    }
  }

  #short(length: number): ProtocolError {
    return new ProtocolError(
      `${length} bytes wanted at byte ${this.position}, ${this.end - this.position} are left`,
    )
  }
}
