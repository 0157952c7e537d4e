import { Column, itemAt, lowerBound } from '../column.ts'
import { KeyTable } from '../key-table.ts'
import type { HistoryIndex } from '../history-index.ts'
import type { TopicPartition } from '../operation.ts'

/** A committed offset and the operation that committed it. */
export interface Committed {
  readonly offset: number
  readonly operation: number
}

/**
 * What a group has handled and committed of one topic-partition.
 *
 * Unplaced until the group first handles, polls or commits something there; records below that
 * place are none of its business. From then on the cursor stands at the lowest record that has not
 * ended. It goes up when commits are judged, and back when a record below it is handled that has
 * not ended (a group that starts again lower), or by a seek, after which what is above has to be
 * handled anew.
 */
export class CommitLedger {
  readonly group: string
  readonly topicPartition: TopicPartition
  /** The highest offset that was surely committed since the last seek. */
  committed: Committed | undefined
  seekCount = 0
  /** The offsets of records that must end, ascending. */
  readonly #records: Column
  readonly #hasEnded: Uint8Array
  /** -1 while unplaced. */
  #cursor = -1

  constructor(group: string, topicPartition: TopicPartition, records: ReadonlySet<number>) {
    this.group = group
    this.topicPartition = topicPartition
    this.#records = new Column('offset')
    for (const offset of Float64Array.from(records).sort()) this.#records.push(offset)
    this.#hasEnded = new Uint8Array(records.size)
  }

  /** As it is named in a story. */
  get name(): string {
    const { topic, partition } = this.topicPartition
    return `${topic}-${partition} in group ${this.group}`
  }

  /** The group works on from this offset. */
  reached(offset: number): void {
    if (this.#cursor < 0) this.#cursor = lowerBound(this.#records, offset)
  }

  started(offset: number): void {
    this.reached(offset)
    const record = lowerBound(this.#records, offset)
    if (record < this.#cursor && this.#hasEnded[record] === 0) this.#cursor = record
  }

  ended(offset: number): void {
    this.#hasEnded[lowerBound(this.#records, offset)] = 1
  }

  /** Answers the lowest record below `offset` that has not ended, if there is one. */
  advance(offset: number): number | undefined {
    this.reached(offset)
    while (this.#cursor < this.#records.length) {
      const record = this.#records.get(this.#cursor)
      if (record >= offset) return undefined
      if (this.#hasEnded[this.#cursor] === 0) {
        // Told once: the commits that follow are not blamed for what this one passed over.
        this.#cursor = lowerBound(this.#records, offset)
        return record
      }
      this.#cursor += 1
    }
    return undefined
  }

  seek(offset: number): void {
    this.#cursor = lowerBound(this.#records, offset)
    this.#hasEnded.fill(0, this.#cursor)
    this.committed = undefined
    this.seekCount += 1
  }
}

/** The ledgers of all groups and topic-partitions. */
export class CommitLedgers {
  readonly #index: HistoryIndex
  /** Topic-partitions by numbers of their own: a group may handle what nobody was seen to read. */
  readonly #places = new KeyTable()
  readonly #handled = new Map<string, Set<number>[]>()
  readonly #ledgers = new Map<string, CommitLedger[]>()

  constructor(index: HistoryIndex) {
    this.#index = index
    for (const event of index.events) {
      if (event.event !== 'begin' || event.kind !== 'handler') continue
      const handled = listOf(this.#handled, event.group)
      const place = this.#places.intern(event.topic, event.partition)
      const offsets = (handled[place] ??= new Set())
      offsets.add(event.offset)
    }
  }

  of(group: string, { topic, partition }: TopicPartition): CommitLedger {
    const ledgers = listOf(this.#ledgers, group)
    const place = this.#places.intern(topic, partition)
    return (ledgers[place] ??= new CommitLedger(
      group,
      { topic, partition },
      this.#recordsOf(group, place),
    ))
  }

  /** A group that handles nothing in the history has its handlers elsewhere: nothing is expected. */
  #recordsOf(group: string, place: number): ReadonlySet<number> {
    const { keys, orders, values } = this.#index
    const handled = this.#handled.get(group)
    const { topic, partition } = this.#places.at(place)
    const key = keys.find(topic, partition)
    if (handled === undefined) return new Set()
    const records = new Set(handled[place])
    if (key === undefined) return records
    const order = itemAt(orders, key)
    for (let position = 0; position < order.length; position += 1) {
      if (values.isRead(order.valueAt(position))) records.add(order.offsetAt(position))
    }
    return records
  }
}

function listOf<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  let list = lists.get(name)
  if (list === undefined) {
    list = []
    lists.set(name, list)
  }
  return list
}
