import { MillraceError } from '../../errors.ts'

/**
 * Where a decoder writes. It grows with what has really been decoded, never with a length that the
 * input declares, and never beyond its limit.
 */
export class BoundedOutput {
  /** Valid up to `length`. Replaced when `reserve` grows it: read it again after each call. */
  bytes: Buffer
  length = 0
  readonly #codec: string
  readonly #bytesMax: number

  /** `expectedBytes` must follow from the size of the input, not only from what it declares. */
  constructor(codec: string, bytesMax: number, expectedBytes: number) {
    this.#codec = codec
    this.#bytesMax = bytesMax
    this.bytes = Buffer.allocUnsafe(Math.min(bytesMax, expectedBytes))
  }

  /** Makes room for `byteCount` bytes behind `length`, or throws when the limit leaves less. */
  reserve(byteCount: number): void {
    if (byteCount > this.#bytesMax - this.length) throw this.tooLarge()
    this.#grow(this.length + byteCount)
  }

  /**
   * Makes room for what a part of the input may decode to at most, or for what the limit leaves;
   * answers where the part must end. A decoder that needs more throws `tooLarge`.
   */
  reserveUpTo(byteCount: number): number {
    const end = Math.min(this.length + byteCount, this.#bytesMax)
    this.#grow(end)
    return end
  }

  /** What was decoded. Copied when much of the buffer is unused: who keeps a part keeps it all. */
  finish(): Buffer {
    const result = this.bytes.subarray(0, this.length)
    return this.length < this.bytes.length * 0.875 ? Buffer.from(result) : result
  }

  /** The error of a decoder whose output does not fit. */
  tooLarge(): MillraceError {
    return outputTooLarge(this.#codec, this.#bytesMax)
  }

  #grow(needed: number): void {
    if (needed <= this.bytes.length) return
    const size = Math.min(this.#bytesMax, Math.max(needed, this.bytes.length * 2))
    const grown = Buffer.allocUnsafe(size)
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}

/** The error for compressed bytes whose content is larger than the reader allows. */
export function outputTooLarge(codec: string, outputBytesMax: number): MillraceError {
  return new MillraceError(
    'MILLRACE_PROTOCOL_TOO_LARGE',
    `${codec}: content is larger than the ${outputBytesMax} bytes allowed`,
  )
}
