import { itemAt } from '../column.ts'
import { KeyTable } from '../key-table.ts'
import type { BeginEvent } from '../operation.ts'
import type { Line } from '../narrator.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { Judgement } from './invariant.ts'

/**
 * F3: in a group, the handlers of one record key of a partition run one at a time, and in the
 * order of offsets: none starts while an earlier record of its key has not ended.
 */
export function judgeSingleOwners(judgement: Judgement): void {
  const { index } = judgement
  const lanes = new Lanes(index)
  for (const event of index.events) {
    if (event.event === 'begin') {
      if (event.kind === 'seek' && event.group !== undefined) {
        for (const at of event.offsets) lanes.seek(event.group, at.topic, at.partition, at.offset)
      }
      const lane = event.kind === 'handler' ? lanes.of(event) : undefined
      if (event.kind === 'handler' && lane !== undefined) start(judgement, lane, event)
    } else if (event.event === 'end' && event.outcome === 'ok') {
      const begun = index.operations.start(event.id)
      if (begun.kind === 'handler') lanes.of(begun)?.ended(begun.offset)
    }
  }
}

type HandlerStart = BeginEvent<'handler'>

function start(judgement: Judgement, lane: Lane, event: HandlerStart): void {
  const { index, findings, narrator } = judgement
  const { operations } = index
  const running = lane.latest
  const beginEvent = operations.beginEvent(event.id)
  const what = `${event.topic}-${event.partition} with key '${event.key}' in group ${event.group}`
  if (running !== undefined && operations.closedEvent(running) > beginEvent) {
    findings.add('overlapping-handlers', () =>
      narrator.story(`two handlers of ${what} ran at the same time`, [
        ...run(judgement, running),
        ...run(judgement, event.id),
      ]),
    )
  }
  const earlier = lane.lowestUnended(event.offset)
  if (earlier !== undefined) {
    findings.add('handler-out-of-order', () =>
      narrator.story(
        `offset ${event.offset} of ${what} was started before offset ${earlier} had ended`,
        [...runsOf(judgement, event, earlier), narrator.begin(event.id, narrator.handling(event))],
      ),
    )
  }
  if (running === undefined || operations.closedEvent(running) < operations.closedEvent(event.id)) {
    lane.latest = event.id
  }
}

function run({ index, narrator }: Judgement, operation: number): Line[] {
  const begun = index.operations.start(operation)
  if (begun.kind !== 'handler') return []
  const what = narrator.handling(begun)
  return [narrator.begin(operation, what), ...narrator.end(operation, what)]
}

/** The runs of one record of the same lane. */
function runsOf(judgement: Judgement, lane: HandlerStart, offset: number): Line[] {
  const { operations } = judgement.index
  const lines: Line[] = []
  for (let operation = 0; operation < operations.length; operation += 1) {
    const begun = operations.start(operation)
    if (begun.kind !== 'handler' || begun.offset !== offset || begun.group !== lane.group) continue
    if (begun.topic !== lane.topic || begun.partition !== lane.partition) continue
    lines.push(...run(judgement, operation))
  }
  return lines
}

/** The records of one key in one group's partition. */
class Lane {
  /** Of the handlers begun, the one that runs longest. */
  latest: number | undefined
  /** The offsets that are ever handled, ascending once `sort` was called. */
  readonly #offsets: number[] = []
  readonly #ended = new Set<number>()
  #cursor = 0
  #seekCount = 0

  add(offset: number): void {
    this.#offsets.push(offset)
  }

  sort(): void {
    this.#offsets.sort((left, right) => left - right)
  }

  ended(offset: number): void {
    this.#ended.add(offset)
  }

  /** The lowest record below `offset` that has not ended, if there is one. */
  lowestUnended(offset: number): number | undefined {
    while (this.#cursor < this.#offsets.length) {
      const lowest = itemAt(this.#offsets, this.#cursor)
      if (!this.#ended.has(lowest)) return lowest < offset ? lowest : undefined
      this.#cursor += 1
    }
    return undefined
  }

  /** What is from `offset` on is handled anew; what is below need not be. */
  follow(seekCount: number, offset: number): void {
    if (this.#seekCount === seekCount) return
    this.#seekCount = seekCount
    this.#cursor = this.#offsets.findIndex((other) => other >= offset)
    if (this.#cursor < 0) this.#cursor = this.#offsets.length
    for (const ended of this.#ended) if (ended >= offset) this.#ended.delete(ended)
  }
}

/** The lanes of one group's partition, and the last seek there. */
interface LanePlace {
  readonly lanes: Map<string, Lane>
  seekCount: number
  seekOffset: number
}

class Lanes {
  readonly #keys = new KeyTable()
  readonly #places = new Map<string, LanePlace[]>()

  constructor(index: HistoryIndex) {
    for (const event of index.events) {
      if (event.event !== 'begin' || event.kind !== 'handler') continue
      if (event.key === null) continue
      const { lanes } = this.#place(event.group, event.topic, event.partition)
      let lane = lanes.get(event.key)
      if (lane === undefined) {
        lane = new Lane()
        lanes.set(event.key, lane)
      }
      lane.add(event.offset)
    }
    for (const places of this.#places.values()) {
      // Not every topic-partition is handled by every group: `forEach` passes over the gaps.
      places.forEach(({ lanes }) => {
        for (const lane of lanes.values()) lane.sort()
      })
    }
  }

  /** Undefined for a record without a key: it has no order. */
  of(handler: HandlerStart): Lane | undefined {
    if (handler.key === null) return undefined
    const place = this.#place(handler.group, handler.topic, handler.partition)
    const lane = place.lanes.get(handler.key)
    lane?.follow(place.seekCount, place.seekOffset)
    return lane
  }

  seek(group: string, topic: string, partition: number, offset: number): void {
    const place = this.#place(group, topic, partition)
    place.seekCount += 1
    place.seekOffset = offset
  }

  #place(group: string, topic: string, partition: number): LanePlace {
    const key = this.#keys.intern(topic, partition)
    let places = this.#places.get(group)
    if (places === undefined) {
      places = []
      this.#places.set(group, places)
    }
    return (places[key] ??= { lanes: new Map(), seekCount: 0, seekOffset: 0 })
  }
}
