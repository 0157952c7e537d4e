/** Something that will happen at a virtual time. */
export interface QueuedEvent {
  readonly timeMs: number
  /** Among events of the same time a lower phase comes first, then a lower rank. */
  readonly phase: number
  readonly rank: number
  /** Among events of the same time, phase and rank the one that was queued first comes first. */
  readonly sequence: number
  cancelled: boolean
}

/** Events in the order in which they happen: a binary heap. */
export class EventQueue<Event extends QueuedEvent> {
  readonly #heap: Event[] = []

  /** Events in the queue, cancelled ones that were not met yet among them. */
  get size(): number {
    return this.#heap.length
  }

  push(event: Event): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (parent === undefined || isBefore(parent, event)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = event
  }

  /** The next event that is not cancelled; it stays in the queue. */
  peek(): Event | undefined {
    let first = this.#heap[0]
    while (first?.cancelled === true) {
      this.#removeFirst()
      first = this.#heap[0]
    }
    return first
  }

  pop(): Event | undefined {
    const first = this.peek()
    if (first !== undefined) this.#removeFirst()
    return first
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const child = this.#earlierChild(index)
      if (child === undefined) break
      const event = heap[child]
      if (event === undefined || isBefore(last, event)) break
      heap[index] = event
      index = child
    }
    heap[index] = last
  }

  #earlierChild(index: number): number | undefined {
    const left = this.#heap[2 * index + 1]
    const right = this.#heap[2 * index + 2]
    if (left === undefined) return undefined
    if (right === undefined || isBefore(left, right)) return 2 * index + 1
    return 2 * index + 2
  }
}

function isBefore(one: QueuedEvent, other: QueuedEvent): boolean {
  if (one.timeMs !== other.timeMs) return one.timeMs < other.timeMs
  if (one.phase !== other.phase) return one.phase < other.phase
  if (one.rank !== other.rank) return one.rank < other.rank
  return one.sequence < other.sequence
}
