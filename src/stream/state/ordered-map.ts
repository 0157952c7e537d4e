/** How many entries a run has before it is cut in two. */
const runMax = 128

interface Run<Value> {
  keys: string[]
  values: Value[]
}

export interface OrderedEntry<Value> {
  readonly key: string
  readonly value: Value
}

/** A map in the order of its keys' characters: runs of sorted entries, each found by its first. */
export class OrderedMap<Value> {
  readonly #runs: Run<Value>[] = [{ keys: [], values: [] }]
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): Value | undefined {
    const run = this.#runs[this.#runOf(key)] as Run<Value>
    const at = placeIn(run.keys, key)
    return run.keys[at] === key ? run.values[at] : undefined
  }

  /** Answers what was there before. */
  set(key: string, value: Value): Value | undefined {
    const index = this.#runOf(key)
    const run = this.#runs[index] as Run<Value>
    const at = placeIn(run.keys, key)
    if (run.keys[at] === key) {
      const before = run.values[at]
      run.values[at] = value
      return before
    }
    run.keys.splice(at, 0, key)
    run.values.splice(at, 0, value)
    this.#size++
    if (run.keys.length > runMax) this.#cut(index, run)
    return undefined
  }

  delete(key: string): void {
    const index = this.#runOf(key)
    const run = this.#runs[index] as Run<Value>
    const at = placeIn(run.keys, key)
    if (run.keys[at] !== key) return
    run.keys.splice(at, 1)
    run.values.splice(at, 1)
    this.#size--
    if (run.keys.length === 0 && this.#runs.length > 1) this.#runs.splice(index, 1)
  }

  /** Whether there is something from `from` on and before `to`. */
  hasWithin(from: string, to: string): boolean {
    if (this.#size === 0) return false
    const index = this.#runOf(from)
    const { keys } = this.#runs[index] as Run<Value>
    const at = placeIn(keys, from)
    const key = at < keys.length ? keys[at] : this.#runs[index + 1]?.keys[0]
    return key !== undefined && key < to
  }

  /** Entries from `from` on and before `to`, in order. The map is not changed while they are taken. */
  *range(from: string, to: string): Generator<OrderedEntry<Value>> {
    let index = this.#runOf(from)
    let at = placeIn((this.#runs[index] as Run<Value>).keys, from)
    for (; index < this.#runs.length; index++, at = 0) {
      const { keys, values } = this.#runs[index] as Run<Value>
      for (; at < keys.length; at++) {
        const key = keys[at] as string
        if (key >= to) return
        yield { key, value: values[at] as Value }
      }
    }
  }

  /** All of them, in order. */
  entries(): OrderedEntry<Value>[] {
    const entries: OrderedEntry<Value>[] = []
    for (const { keys, values } of this.#runs) {
      for (let at = 0; at < keys.length; at++)
        entries.push({ key: keys[at] as string, value: values[at] as Value })
    }
    return entries
  }

  #cut(index: number, run: Run<Value>): void {
    // What comes in order fills runs from behind: the first half stays as it is.
    const half = run.keys.length >>> 1
    const rest = { keys: run.keys.splice(half), values: run.values.splice(half) }
    this.#runs.splice(index + 1, 0, rest)
  }

  /** The last run whose first key is not behind `key`, or the first run. */
  #runOf(key: string): number {
    let low = 0
    let high = this.#runs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (((this.#runs[middle] as Run<Value>).keys[0] as string) <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** The place of the first key that is not before `key`. */
function placeIn(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
