import type { Turns } from './turns.ts'

/**
 * Lets one record run while nothing else runs in the process: all consumers of a service share it. Whoever asks waits
 * until what runs has come to its end; nothing starts meanwhile.
 */
export class Alone {
  readonly #turns = new Set<Turns>()
  #last: Promise<void> = Promise.resolve()

  add(turns: Turns): void {
    this.#turns.add(turns)
  }

  remove(turns: Turns): void {
    this.#turns.delete(turns)
  }

  /** Resolves, when nothing runs, with a function that lets others run again. */
  async enter(): Promise<() => void> {
    const before = this.#last
    let leave: () => void = () => undefined
    this.#last = new Promise((resolve) => (leave = resolve))
    await before
    const held = [...this.#turns]
    for (const turns of held) turns.hold()
    await Promise.all(held.map((turns) => turns.untilIdle()))
    return () => {
      for (const turns of held) turns.letGo()
      leave()
    }
  }
}
