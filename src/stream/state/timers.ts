import type { StateKey } from '../../store/index.ts'
import { behind, indexMark, orderedNumber, orderedNumberAt } from './state-key.ts'
import type { TaskState } from './task-state.ts'

/** How many of what is due next are known at a time. */
const aheadMax = 256
const entryAt = indexMark.length + 7
const indexEnd = behind(indexMark)

/** An entry, and the time that it was set to. */
export interface DueEntry {
  readonly entry: StateKey
  readonly time: number
}

/**
 * When something has to be done about entries of the state: an index of them by time, which is part of the state. What is due
 * next is kept at hand, so that nothing is looked up while nothing is due.
 */
export class Timers {
  readonly #state: TaskState
  /** Index keys in order: all that there are before `#aheadEnd`, and maybe some that are gone. */
  #ahead: StateKey[] = []
  #aheadEnd: StateKey = indexMark

  constructor(state: TaskState) {
    this.#state = state
  }

  /** Names an entry when the time has passed `time`. */
  set(time: number, entry: StateKey): void {
    const key = indexKeyOf(time, entry)
    this.#state.putIndex(key)
    if (key < this.#aheadEnd) this.#insert(key)
  }

  clear(time: number, entry: StateKey): void {
    this.#state.delete(indexKeyOf(time, entry))
  }

  /** The lowest time that something was set to, or one below it; Infinity when there is nothing. */
  get next(): number {
    this.#fill()
    const [first] = this.#ahead
    return first === undefined ? Infinity : orderedNumberAt(first, indexMark.length)
  }

  /** Takes the first entry whose time is before `now`; undefined when there is none (any more). */
  takeDue(now: number): DueEntry | undefined {
    for (;;) {
      if (this.next >= now) return undefined
      const key = this.#ahead.shift() as StateKey
      if (this.#state.get(key) === undefined) continue
      this.#state.delete(key)
      return { entry: key.slice(entryAt), time: orderedNumberAt(key, indexMark.length) }
    }
  }

  #fill(): void {
    if (this.#ahead.length > 0 || this.#aheadEnd === indexEnd) return
    for (const { key } of this.#state.range(this.#aheadEnd, indexEnd)) {
      if (this.#ahead.length === aheadMax) {
        this.#aheadEnd = key
        return
      }
      this.#ahead.push(key)
    }
    this.#aheadEnd = indexEnd
  }

  #insert(key: StateKey): void {
    let low = 0
    let high = this.#ahead.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ahead[middle] as StateKey) < key) low = middle + 1
      else high = middle
    }
    if (this.#ahead[low] !== key) this.#ahead.splice(low, 0, key)
    if (this.#ahead.length <= 2 * aheadMax) return
    this.#aheadEnd = this.#ahead[aheadMax] as StateKey
    this.#ahead.length = aheadMax
  }
}

/** Where the index has an entry: by its time first. */
export function indexKeyOf(time: number, entry: StateKey): StateKey {
  return indexMark + orderedNumber(time) + entry
}
