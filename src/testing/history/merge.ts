import type { History, HistoryEvent } from './operation.ts'

/**
 * Brings the histories of several recorders together by time; each keeps its own order. The clock
 * must be the same for all. Where times are equal nobody knows what came first: beginnings go
 * before ends, so that operations count as concurrent rather than be blamed for an order that may
 * not have been.
 */
export function mergeHistories(...histories: readonly History[]): History {
  const events: HistoryEvent[] = []
  const sources = histories.map((history) => new Source(history.events))
  let operationCount = 0
  for (;;) {
    const source = earliest(sources)
    const event = source?.head
    if (source === undefined || event === undefined) return { events }
    if (event.event === 'begin') {
      source.numbers.set(event.id, operationCount)
      operationCount += 1
    }
    const id = source.numbers.get(event.id) ?? event.id
    if (event.event === 'end') source.numbers.delete(event.id)
    events.push({ ...event, id })
    source.advance()
  }
}

class Source {
  readonly #events: readonly HistoryEvent[]
  #position = 0
  /** The numbers that operations of this history have in the merged one. */
  readonly numbers = new Map<number, number>()

  constructor(events: readonly HistoryEvent[]) {
    this.#events = events
  }

  get head(): HistoryEvent | undefined {
    return this.#events[this.#position]
  }

  advance(): void {
    this.#position += 1
  }
}

function earliest(sources: readonly Source[]): Source | undefined {
  let best: Source | undefined
  for (const source of sources) {
    if (source.head === undefined) continue
    if (best?.head === undefined || isBefore(source.head, best.head)) best = source
  }
  return best
}

function isBefore(left: HistoryEvent, right: HistoryEvent): boolean {
  if (left.atMs !== right.atMs) return left.atMs < right.atMs
  return left.event === 'begin' && right.event !== 'begin'
}
