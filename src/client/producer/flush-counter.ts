interface Flush {
  readonly generation: number
  readonly resolve: () => void
}

/**
 * Tells when everything is over that had begun before a flush. What begins belongs to the current
 * generation, and each flush starts the next one; a flush is done once nothing is left of its generation
 * and of those before.
 */
export class FlushCounter {
  #generation = 0
  /** Of each generation that is not over, from `#oldest` on: what is left of it. */
  readonly #counts: number[] = [0]
  #oldest = 0
  #flushes: Flush[] = []

  get isFlushing(): boolean {
    return this.#flushes.length > 0
  }

  /** Something has begun; answers its generation, which is the current one unless it continues another. */
  enter(generation = this.#generation): number {
    const index = generation - this.#oldest
    this.#counts[index] = (this.#counts[index] as number) + 1
    return generation
  }

  leave(generation: number): void {
    const index = generation - this.#oldest
    this.#counts[index] = (this.#counts[index] as number) - 1
    if (this.#flushes.length > 0) this.#check()
  }

  begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushes.push({ generation: this.#generation, resolve })
      this.#generation += 1
      this.#counts.push(0)
      this.#check()
    })
  }

  #check(): void {
    while (this.#counts[0] === 0 && this.#oldest < this.#generation) {
      this.#counts.shift()
      this.#oldest += 1
    }
    while (this.#flushes[0] !== undefined && this.#flushes[0].generation < this.#oldest) {
      this.#flushes.shift()?.resolve()
    }
  }
}
