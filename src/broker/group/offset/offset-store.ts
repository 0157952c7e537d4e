import type { OffsetValue } from '../group-record.ts'
import { OffsetTable } from './offset-table.ts'

/** An offset that a group has committed. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedAtMs: number
  /** When a client of an old version wanted it gone; -1 where the broker's retention applies. */
  readonly expiresAtMs: number
  /** The topic it was committed for; all zero when the client named the topic instead. */
  readonly topicId: string
  /** Where the record of the commit is in `__consumer_offsets`. */
  readonly recordOffset: number
}

/**
 * The committed offsets of all groups of a partition, and those that wait for the end of their
 * transaction.
 *
 * A transactional offset is *pending* from its record until the marker of its producer. A commit
 * marker makes it the committed offset, unless a record that was written after it has set the
 * offset already: compaction may drop the earlier of the two, so only the order of the records
 * says which is newer, never the order of the markers. A tombstone ends pending ones too.
 */
export class OffsetStore {
  readonly #committed = new OffsetTable<CommittedOffset>()
  readonly #pending = new Map<number, OffsetTable<CommittedOffset>>()
  /** The producers with a pending offset, by partition. */
  readonly #open = new OffsetTable<Set<number>>()

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(group, topic, partition)
  }

  /** The groups with a committed or pending offset. */
  groups(): Set<string> {
    return new Set([...this.#committed.groups(), ...this.#open.groups()])
  }

  /** A group's committed offsets. */
  committed(group: string): Iterable<[topic: string, partition: number, CommittedOffset]> {
    return this.#committed.entries(group)
  }

  isPending(group: string, topic: string, partition: number): boolean {
    return this.#open.get(group, topic, partition) !== undefined
  }

  /** The partitions for which a group has pending offsets. */
  *pending(group: string): Iterable<[topic: string, partition: number]> {
    for (const [topic, partition] of this.#open.entries(group)) yield [topic, partition]
  }

  hasPending(group: string): boolean {
    return this.#open.hasGroup(group)
  }

  /** The partitions of a topic for which any group has an offset, committed or pending. */
  *ofTopic(topic: string): Iterable<[group: string, partition: number]> {
    for (const group of this.groups()) {
      const partitions = new Set([
        ...this.#committed.partitions(group, topic),
        ...this.#open.partitions(group, topic),
      ])
      for (const partition of partitions) yield [group, partition]
    }
  }

  store(
    group: string,
    topic: string,
    partition: number,
    offset: CommittedOffset,
    producerId: number | undefined,
  ): void {
    if (producerId === undefined) {
      this.#committed.set(group, topic, partition, offset)
      return
    }
    let pending = this.#pending.get(producerId)
    if (pending === undefined) this.#pending.set(producerId, (pending = new OffsetTable()))
    pending.set(group, topic, partition, offset)
    const open = this.#open.get(group, topic, partition)
    if (open === undefined) this.#open.set(group, topic, partition, new Set([producerId]))
    else open.add(producerId)
  }

  remove(group: string, topic: string, partition: number): void {
    this.#committed.delete(group, topic, partition)
    for (const producerId of this.#open.get(group, topic, partition) ?? []) {
      this.#pending.get(producerId)?.delete(group, topic, partition)
    }
    this.#open.delete(group, topic, partition)
  }

  endTransaction(producerId: number, committed: boolean): void {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) return
    this.#pending.delete(producerId)
    for (const group of pending.groups()) {
      for (const [topic, partition, offset] of pending.entries(group)) {
        this.#close(group, topic, partition, producerId)
        const existing = this.#committed.get(group, topic, partition)
        const newer = existing === undefined || offset.recordOffset > existing.recordOffset
        if (committed && newer) this.#committed.set(group, topic, partition, offset)
      }
    }
  }

  #close(group: string, topic: string, partition: number, producerId: number): void {
    const open = this.#open.get(group, topic, partition)
    open?.delete(producerId)
    if (open?.size === 0) this.#open.delete(group, topic, partition)
  }
}

export function committedOffset(recordOffset: number, value: OffsetValue): CommittedOffset {
  return {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    committedAtMs: value.commitTimestamp,
    expiresAtMs: value.expireTimestamp,
    topicId: value.topicId,
    recordOffset,
  }
}
