import type { Delivery } from '../delivery.ts'
import { Lane } from './lane.ts'
import { Queue } from './queue.ts'

/**
 * The lanes of one partition: which keys are taken, and whose turn it is. A key is in at most one lane, and a lane in
 * at most one place: ready, or busy with its current record.
 */
export class LaneTable {
  readonly #lanes = new Map<string, Lane>()
  /** Lanes whose first record has not run yet, and those whose current one runs again. */
  readonly #ready = new Queue<Lane>()
  readonly #again = new Queue<Lane>()
  #waitingCount = 0

  /** Records that have not begun to run. */
  get waitingCount(): number {
    return this.#waitingCount
  }

  /** Whether a record could run for the first time. */
  get hasNew(): boolean {
    return this.#ready.size > 0
  }

  /** Whether a record that failed could run again. */
  get hasAgain(): boolean {
    return this.#again.size > 0
  }

  /** Whether no lane of a key exists: every record may run at once. */
  get isEmpty(): boolean {
    return this.#lanes.size === 0
  }

  /** The lane that a record of this key has to wait in; undefined when nothing of its key is before it. */
  lane(key: string | undefined): Lane | undefined {
    return key === undefined ? undefined : this.#lanes.get(key)
  }

  /** A lane whose current record runs. */
  occupy(key: string | undefined, current: Delivery | undefined): Lane {
    const lane = new Lane(key)
    lane.current = current
    if (key !== undefined) this.#lanes.set(key, lane)
    return lane
  }

  /** Puts a record at the end of its lane. */
  wait(key: string | undefined, delivery: Delivery): void {
    this.#waitingCount++
    const known = this.lane(key)
    if (known !== undefined) {
      known.push(delivery)
      return
    }
    const lane = new Lane(key)
    if (key !== undefined) this.#lanes.set(key, lane)
    lane.push(delivery)
    this.#ready.push(lane)
  }

  /** The lane whose turn it is: of those that run again, or with its next record as its current one. */
  next(): Lane | undefined {
    const again = this.#again.shift()
    if (again !== undefined) return again
    const lane = this.#ready.shift()
    if (lane === undefined) return undefined
    lane.current = lane.shift()
    this.#waitingCount--
    return lane
  }

  /**
   * The same, but only of records below an offset, and one at `first` goes before all others. Looks through all of them:
   * only for when little runs.
   */
  nextBelow(end: number, first: number | undefined): Lane | undefined {
    return this.#find((offset) => offset === first) ?? this.#find((offset) => offset < end)
  }

  /** The current record runs again, when it is the lane's turn. */
  again(lane: Lane): void {
    this.#again.push(lane)
  }

  /** The current record has ended: the next one is ready, or the lane is over. */
  ended(lane: Lane): void {
    lane.current = undefined
    if (lane.waitingCount > 0) this.#ready.push(lane)
    else if (lane.key !== undefined) this.#lanes.delete(lane.key)
  }

  /** Forgets what has not begun to run. */
  clear(): void {
    this.#lanes.clear()
    this.#ready.clear()
    this.#again.clear()
    this.#waitingCount = 0
  }

  #find(isWanted: (offset: number) => boolean): Lane | undefined {
    for (let left = this.#again.size; left > 0; left--) {
      const lane = this.#again.shift() as Lane
      if (lane.current !== undefined && isWanted(lane.current.offset)) return lane
      this.#again.push(lane)
    }
    for (let left = this.#ready.size; left > 0; left--) {
      const lane = this.#ready.shift() as Lane
      if (lane.first !== undefined && isWanted(lane.first.offset)) {
        lane.current = lane.shift()
        this.#waitingCount--
        return lane
      }
      this.#ready.push(lane)
    }
    return undefined
  }
}
