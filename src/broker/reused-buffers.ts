/** Smaller buffers cost no more than keeping them would. */
const reusedBytesMin = 65_536

/** A size is rounded up to a quarter of the power of two below it, so that few sizes serve all. */
const stepsPerPower = 4

/**
 * Large buffers that are used again and again. A new one of a megabyte costs more than what it is
 * filled with: the system clears its pages one by one, and Node's collector of garbage, which counts
 * such bytes, goes over everything for each 64 MiB of them.
 *
 * A buffer is *lent* (`take`) → *free* (`giveBack`) → lent. Who forgets a lent one does no harm: it
 * is garbage then. Who gives one back must be the only one that has it: it is written to by the next.
 * So whoever cannot say who else has it must forget it.
 */
export class ReusedBuffers {
  readonly #freeBytesMax: number
  readonly #free = new Map<number, ArrayBufferLike[]>()
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0

  constructor(freeBytesMax: number) {
    this.#freeBytesMax = freeBytesMax
  }

  /** A buffer of so many bytes, which hold anything. */
  take(bytes: number): Buffer {
    if (bytes < reusedBytesMin) return Buffer.allocUnsafeSlow(bytes)
    const size = roundedUp(bytes)
    const free = this.#free.get(size)?.pop()
    if (free !== undefined) this.#freeBytes -= size
    const memory = free ?? Buffer.allocUnsafeSlow(size).buffer
    this.#lent.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /** Takes back what `bytes` lie in, if it is lent; else does nothing. */
  giveBack({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer)) return
    const size = buffer.byteLength
    if (this.#freeBytes + size > this.#freeBytesMax) return
    this.#freeBytes += size
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [buffer])
    else free.push(buffer)
  }
}

function roundedUp(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / stepsPerPower
  return Math.ceil(bytes / step) * step
}

/**
 * What a broker with a data folder has of them. Two, because a response may pass on bytes of a request
 * that somebody keeps: a response that was sent frees what was read for it, and no request.
 */
export class BrokerBuffers {
  /** For requests that come in many pieces. */
  readonly requests = new ReusedBuffers(16_777_216)
  /** For what is read from the disk to be sent. */
  readonly reads = new ReusedBuffers(33_554_432)
}
