/**
 * Those who wait for a log to change. They are told after the work at hand, once for all changes
 * that it made: thousands of fetches may wait for one partition, and an append must not be the
 * place where they are answered.
 */
export class ChangeListeners {
  readonly #listeners = new Set<() => void>()
  #telling = false

  /** Answers a function that ends it. */
  add(listener: () => void): () => void {
    const entry = (): void => listener()
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  changed(): void {
    if (this.#telling || this.#listeners.size === 0) return
    this.#telling = true
    queueMicrotask(() => {
      this.#telling = false
      for (const listener of this.#listeners) listener()
    })
  }
}
