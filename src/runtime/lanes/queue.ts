/** First in, first out, in constant time however long it gets. */
export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Puts items before all others, in their order. */
  unshift(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= shrinkAt && this.#head * 2 >= this.#items.length) this.#shrink()
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }

  #shrink(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}

const shrinkAt = 64
