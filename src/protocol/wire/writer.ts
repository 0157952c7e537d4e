import { ProtocolError } from '../../errors.ts'

/** Bytes of this size and above are passed on as they are instead of being copied. */
const passOnBytesMin = 1024
const pieceBytesMin = 256

/**
 * Writes Kafka's primitive types. What is small is copied into one growing piece; large byte
 * strings (record batches) are kept as they are, so that a response of many megabytes is a list of
 * chunks of which only the first few hundred bytes were written here.
 */
export class Writer {
  readonly #done: Uint8Array[] = []
  #doneBytes = 0
  #piece: Buffer
  #used = 0

  constructor(expectedBytes = pieceBytesMin) {
    this.#piece = Buffer.allocUnsafe(expectedBytes)
  }

  get bytesWritten(): number {
    return this.#doneBytes + this.#used
  }

  /** All that was written, in order. The writer must not be used afterwards. */
  chunks(): Uint8Array[] {
    this.#seal()
    return this.#done
  }

  /** All that was written, as one buffer. The writer must not be used afterwards. */
  toBuffer(): Buffer {
    this.#seal()
    const [only] = this.#done
    if (this.#done.length === 1 && only instanceof Buffer) return only
    return Buffer.concat(this.#done)
  }

  int8(value: number): void {
    const start = this.#grow(1)
    this.#piece.writeInt8(value, start)
  }

  #byte(value: number): void {
    const start = this.#grow(1)
    this.#piece[start] = value
  }

  int16(value: number): void {
    const start = this.#grow(2)
    this.#piece.writeInt16BE(value, start)
  }

  uint16(value: number): void {
    const start = this.#grow(2)
    this.#piece.writeUInt16BE(value, start)
  }

  int32(value: number): void {
    const start = this.#grow(4)
    this.#piece.writeInt32BE(value, start)
  }

  uint32(value: number): void {
    const start = this.#grow(4)
    this.#piece.writeUInt32BE(value, start)
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      throw new ProtocolError(`64-bit integer (${value}) is not a safe integer`)
    }
    const start = this.#grow(8)
    this.#piece.writeInt32BE(Math.floor(value / 0x1_0000_0000), start)
    this.#piece.writeUInt32BE(value >>> 0, start + 4)
  }

  float64(value: number): void {
    const start = this.#grow(8)
    this.#piece.writeDoubleBE(value, start)
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  uuid(value: string): void {
    const start = this.#grow(16)
    const written = this.#piece.write(value, start, 16, 'base64url')
    if (written !== 16 || value.length !== 22) {
      throw new ProtocolError(`UUID (${value}) must be 22 characters of base64url`)
    }
  }

  /** Text with its length before it, as flexible (compact) versions or the older ones write it. */
  string(value: string, flexible: boolean): void {
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) throw new ProtocolError(`string of ${length} bytes exceeds 32767`)
    if (flexible) this.unsignedVarint(length + 1)
    else this.int16(length)
    this.text(value, length)
  }

  /** Text alone; `length` is its size in bytes. */
  text(value: string, length: number): void {
    const start = this.#grow(length)
    this.#piece.write(value, start, length, 'utf8')
  }

  /** The length of bytes or an array; -1 stands for null. */
  length(value: number, flexible: boolean): void {
    if (flexible) this.unsignedVarint(value + 1)
    else this.int32(value)
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length >= passOnBytesMin) {
      this.#seal()
      this.#push(bytes)
      return
    }
    const start = this.#grow(bytes.length)
    this.#piece.set(bytes, start)
  }

  #grow(length: number): number {
    const start = this.#used
    if (start + length > this.#piece.length) this.#enlarge(length)
    this.#used = start + length
    return start
  }

  #enlarge(length: number): void {
    const size = Math.max(this.#piece.length * 2, this.#used + length, pieceBytesMin)
    const larger = Buffer.allocUnsafe(size)
    this.#piece.copy(larger, 0, 0, this.#used)
    this.#piece = larger
  }

  #seal(): void {
    if (this.#used === 0) return
    this.#push(this.#piece.subarray(0, this.#used))
    this.#piece = this.#piece.subarray(this.#used)
    this.#used = 0
  }

  #push(bytes: Uint8Array): void {
    this.#done.push(bytes)
    this.#doneBytes += bytes.length
  }
}
