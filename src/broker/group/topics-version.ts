/**
 * Counts the changes of the cluster's topics. Groups compare it with the version that they have
 * last looked at. Resolved patterns are stored with theirs, so it never falls below what is stored.
 */
export class TopicsVersion {
  #current = 1

  get current(): number {
    return this.#current
  }

  advance(): void {
    this.#current += 1
  }

  /** A stored version was found; what has changed since then is not known. */
  passBy(stored: number): void {
    this.#current = Math.max(this.#current, stored + 1)
  }
}
