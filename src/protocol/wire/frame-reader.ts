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

/** Where a frame is put together, when whoever reads it has better than a new buffer each time. */
export interface FrameBuffers {
  /** A buffer of so many bytes, which hold anything. */
  take(bytes: number): Buffer
}

/** A frame gets a buffer when this part of it has come. */
const earlyPart = 1 / 4

/** More parts than this are joined: a sender of single bytes must not cost an object for each. */
const partsMax = 1024

/**
 * Cuts a stream of bytes into frames: a size (int32) and as many bytes. A frame that lies within
 * one chunk is a view of it; one that spans chunks is put together once all of it has come, or, in
 * `buffers`, once a part of it has: a size that was declared and never sent costs nothing.
 */
export class FrameReader {
  readonly #frameBytesMax: number
  #parts: Buffer[] = []
  #partsBytes = 0
  /** The size of the frame that `parts` begins, once its four bytes are there. */
  #wanted: number | undefined
  readonly #buffers: FrameBuffers | undefined
  /** Where the frame is put together that has begun, size and all. Then there are no parts. */
  #whole: Buffer | undefined

  constructor(frameBytesMax: number, buffers?: FrameBuffers) {
    this.#frameBytesMax = frameBytesMax
    this.#buffers = buffers
  }

  /** Bytes of a frame that is not complete yet. */
  get heldBytes(): number {
    return this.#partsBytes
  }

  /** Takes a chunk and calls `frame` for each frame it completes. Throws a `FrameError`. */
  push(chunk: Buffer, frame: (bytes: Buffer) => void): void {
    let rest = chunk
    if (this.#whole !== undefined) rest = this.#fill(this.#whole, chunk, frame)
    else if (this.#partsBytes > 0) rest = this.#complete(chunk, frame)
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
    if (this.#wanted === undefined) return Buffer.alloc(0)
    if (this.#partsBytes < 4 + this.#wanted) {
      this.#gather(4 + this.#wanted)
      return Buffer.alloc(0)
    }
    const all = this.#joined()
    const end = 4 + this.#wanted
    this.#parts = []
    this.#partsBytes = 0
    this.#wanted = undefined
    frame(all.subarray(4, end))
    return all.subarray(end)
  }

  /** Goes on in a buffer for all of the frame, if there is enough of it to believe its size. */
  #gather(frameBytes: number): void {
    if (this.#buffers === undefined || this.#partsBytes < frameBytes * earlyPart) return
    const whole = this.#buffers.take(frameBytes)
    let filled = 0
    for (const part of this.#parts) filled += part.copy(whole, filled)
    this.#parts = []
    this.#whole = whole
  }

  #fill(whole: Buffer, chunk: Buffer, frame: (bytes: Buffer) => void): Buffer {
    const taken = chunk.copy(whole, this.#partsBytes)
    this.#partsBytes += taken
    if (this.#partsBytes < whole.length) return Buffer.alloc(0)
    this.#whole = undefined
    this.#partsBytes = 0
    this.#wanted = undefined
    frame(whole.subarray(4))
    return chunk.subarray(taken)
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
