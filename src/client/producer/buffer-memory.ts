/** Counts the memory that records take until they are resolved. */
export class BufferMemory {
  readonly bytesMax: number
  #usedBytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** What is left; never below zero. */
  get freeBytes(): number {
    return Math.max(0, this.bytesMax - this.#usedBytes)
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
  }
}
