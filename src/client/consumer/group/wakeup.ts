/** Lets a loop sleep until there is something to do. What wakes it while it is awake is not forgotten. */
export class Wakeup {
  #isDue = false
  #resolve: (() => void) | undefined

  wake(): void {
    this.#isDue = true
    this.#resolve?.()
    this.#resolve = undefined
  }

  async wait(): Promise<void> {
    if (!this.#isDue) await new Promise<void>((resolve) => (this.#resolve = resolve))
    this.#isDue = false
  }
}
