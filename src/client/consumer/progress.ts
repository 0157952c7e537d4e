import type { PartitionState } from './partition-state.ts'
import type { Position } from './position.ts'

interface HandedOut {
  readonly generation: number
  /** The position before this poll handed records out. */
  readonly before: Position
}

/**
 * What the application has, and what it is done with. It is **asking** while it waits in a poll, and
 * **working** on what the last poll gave it until it asks again: that it does means that it is done with
 * all of it.
 */
export class Progress {
  readonly #handedOut = new Map<PartitionState, HandedOut>()
  readonly #awaited = new Set<() => void>()
  #isAsking = false

  /** The application asks for more. */
  asks(): void {
    this.#isAsking = true
    this.#handedOut.clear()
    for (const resolve of this.#awaited) resolve()
    this.#awaited.clear()
  }

  /** The application has an answer. */
  works(): void {
    this.#isAsking = false
  }

  /** Records of the partition are about to be handed out. */
  handsOut(state: PartitionState): void {
    const before = state.position
    if (before === undefined || this.#handedOut.has(state)) return
    this.#handedOut.set(state, { generation: state.generation, before })
  }

  /** Up to where the application is done with a partition; undefined while its position is not known. */
  doneUpTo(state: PartitionState): Position | undefined {
    const handedOut = this.#handedOut.get(state)
    return handedOut?.generation === state.generation ? handedOut.before : state.position
  }

  /** Resolves when the application is done with records of `states`, at once if it has none. */
  done(states: readonly PartitionState[]): Promise<void> {
    if (this.#isAsking || !states.some((state) => this.#handedOut.has(state))) {
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#awaited.add(resolve))
  }
}
