/** Producer ids that nobody else will ever hand out. */
export interface ProducerIdBlock {
  readonly first: number
  readonly length: number
}

/**
 * Where producer ids come from. A block is durable as taken before the promise resolves, so that a
 * restart loses what was left of it and never gives an id twice.
 */
export interface ProducerIdBlocks {
  allocate(): Promise<ProducerIdBlock>
}

/**
 * Hands out producer ids one after another. `take` answers undefined when the block is used up;
 * `refill` then fetches the next one, once for all who wait.
 */
export class ProducerIds {
  readonly #blocks: ProducerIdBlocks
  #next = 0
  #end = 0
  #refill: Promise<void> | undefined

  constructor(blocks: ProducerIdBlocks) {
    this.#blocks = blocks
  }

  take(): number | undefined {
    if (this.#next === this.#end) return undefined
    const id = this.#next
    this.#next += 1
    return id
  }

  refill(): Promise<void> {
    this.#refill ??= this.#fetch().finally(() => {
      this.#refill = undefined
    })
    return this.#refill
  }

  /** An id, however long it takes. */
  async next(): Promise<number> {
    for (;;) {
      const id = this.take()
      if (id !== undefined) return id
      await this.refill()
    }
  }

  async #fetch(): Promise<void> {
    if (this.#next < this.#end) return
    const { first, length } = await this.#blocks.allocate()
    if (length < 1) throw new Error(`a block of producer ids must not be empty, but ${first} is`)
    this.#next = first
    this.#end = first + length
  }
}
