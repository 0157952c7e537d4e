/** Work that has finished when it returns, or else when its promise resolves. It never rejects. */
export type LaneWork = () => Promise<void> | undefined

interface Waiting {
  readonly shared: boolean
  readonly work: LaneWork
}

/**
 * The order of work on one group. Work begins in the order in which it was added. *Shared* work
 * runs beside other shared work; *exclusive* work begins when everything before it has finished,
 * and nothing begins before it has.
 *
 * Offset commits are shared: each is a record of its own, and a hundred of them can wait for the
 * same sync of the disk. Whatever reads the state of the group to decide how to change it is
 * exclusive, so that it never decides on a state that an unfinished change is about to replace.
 */
export class Lane {
  readonly #waiting: Waiting[] = []
  #running = 0
  #exclusiveRuns = false
  #advancing = false
  readonly #onIdle: () => void

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  add(shared: boolean, work: LaneWork): void {
    this.#waiting.push({ shared, work })
    this.#advance()
  }

  /** A loop and not a recursion: work that finishes at once may add more work. */
  #advance(): void {
    if (this.#advancing) return
    this.#advancing = true
    try {
      while (this.#mayBegin()) this.#begin()
    } finally {
      this.#advancing = false
    }
    if (this.#running === 0 && this.#waiting.length === 0) this.#onIdle()
  }

  #mayBegin(): boolean {
    const [next] = this.#waiting
    if (next === undefined || this.#exclusiveRuns) return false
    return next.shared || this.#running === 0
  }

  #begin(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#running += 1
    this.#exclusiveRuns = !next.shared
    const finish = () => {
      this.#running -= 1
      if (!next.shared) this.#exclusiveRuns = false
    }
    const unfinished = next.work()
    if (unfinished === undefined) {
      finish()
      return
    }
    void unfinished.then(() => {
      finish()
      this.#advance()
    })
  }
}
