import { ProtocolError } from '../../errors.ts'

/** A size that no frame may have. What came instead of a frame can often be told from its head. */
export class FrameError extends ProtocolError {
  /** The first bytes of what should have been a frame. */
  readonly head: Buffer

  constructor(message: string, head: Buffer) {
    super(message)
    this.head = head
  }
}

/** More parts than this are joined: a sender of single bytes must not cost an object for each. */
const partsMax = 1024

/**
 * Cuts a stream of bytes into frames: a size (int32) and as many bytes. A frame that lies within
 * one chunk is a view of it; one that spans chunks is put together once all of it has come, so a
 * size that was declared and never sent costs nothing.
 */
export class FrameReader {
  readonly #frameBytesMax: number
  #parts: Buffer[] = []
  #partsBytes = 0
  /** The size of the frame that `parts` begins, once its four bytes are there. */
  #wanted: number | undefined

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes of a frame that is not complete yet. */
  get heldBytes(): number {
    return this.#partsBytes
  }

  /** Takes a chunk and calls `frame` for each frame it completes. Throws a `FrameError`. */
  push(chunk: Buffer, frame: (bytes: Buffer) => void): void {
    let rest = chunk
    if (this.#partsBytes > 0) rest = this.#complete(chunk, frame)
    while (rest.length >= 4) {
      const size = this.#checkedSize(rest)
      if (rest.length < 4 + size) break
      frame(rest.subarray(4, 4 + size))
      rest = rest.subarray(4 + size)
    }
    if (rest.length > 0) this.#hold(rest)
  }

  /** Completes the frame that is held, if `chunk` is enough for it; answers what remains of it. */
  #complete(chunk: Buffer, frame: (bytes: Buffer) => void): Buffer {
    this.#hold(chunk)
    if (this.#wanted === undefined && this.#partsBytes >= 4) {
      const head = this.#joined()
      this.#parts = [head]
      this.#wanted = this.#checkedSize(head)
    }
    if (this.#wanted === undefined || this.#partsBytes < 4 + this.#wanted) return Buffer.alloc(0)
    const all = this.#joined()
    const end = 4 + this.#wanted
    this.#parts = []
    this.#partsBytes = 0
    this.#wanted = undefined
    frame(all.subarray(4, end))
    return all.subarray(end)
  }

  #hold(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#partsBytes += bytes.length
    if (this.#parts.length > partsMax) this.#parts = [Buffer.concat(this.#parts, this.#partsBytes)]
  }

  #joined(): Buffer {
    const [first] = this.#parts
    if (this.#parts.length === 1 && first !== undefined) return first
    return Buffer.concat(this.#parts, this.#partsBytes)
  }

  #checkedSize(bytes: Buffer): number {
    const size = bytes.readInt32BE(0)
    if (size >= 0 && size <= this.#frameBytesMax) return size
    throw new FrameError(
      `a frame declares ${size} bytes; allowed are 0 to ${this.#frameBytesMax}`,
      Buffer.from(bytes.subarray(0, 16)),
    )
  }
}
