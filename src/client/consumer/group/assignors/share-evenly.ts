import { comparePartitions, compareText, partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { PartitionCounts } from './assignor.ts'

/**
 * Shares partitions out among members that all want the same topics. Each gets the total divided by
 * the number of members, or one more. Members keep what they own up to that; the rest is dealt out.
 * The choices are those of Java's assignor, so that it does not matter which member leads.
 */
export function shareEvenly(
  owned: ReadonlyMap<string, readonly TopicPartition[]>,
  counts: PartitionCounts,
): Map<string, TopicPartition[]> {
  return new EvenShare(owned, counts).build()
}

class EvenShare {
  readonly #owned: ReadonlyMap<string, readonly TopicPartition[]>
  readonly #counts: PartitionCounts
  readonly #assignments = new Map<string, TopicPartition[]>()
  /** What every member gets. */
  readonly #least: number
  /** How many members get one more. */
  readonly #largerMax: number
  #larger = 0
  /** Members with less than the least. */
  #small: string[] = []
  /** Members with exactly the least, which may get one more. */
  #medium: string[] = []

  constructor(owned: ReadonlyMap<string, readonly TopicPartition[]>, counts: PartitionCounts) {
    this.#owned = owned
    this.#counts = counts
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    this.#least = Math.floor(total / owned.size)
    this.#largerMax = total % owned.size
  }

  build(): Map<string, TopicPartition[]> {
    for (const memberId of [...this.#owned.keys()].sort(compareText)) this.#keepOwned(memberId)
    this.#small.sort(compareText)
    this.#medium.sort(compareText)
    this.#deal(this.#unassigned())
    return this.#assignments
  }

  #keepOwned(memberId: string): void {
    const owned = [...(this.#owned.get(memberId) ?? [])].sort(
      (one, other) => one.partition - other.partition || compareText(one.topic, other.topic),
    )
    if (owned.length < this.#least) {
      this.#assignments.set(memberId, owned)
      this.#small.push(memberId)
    } else if (owned.length > this.#least && this.#larger < this.#largerMax) {
      this.#assignments.set(memberId, owned.slice(0, this.#least + 1))
      this.#larger += 1
      if (this.#larger === this.#largerMax) this.#medium = []
    } else {
      this.#assignments.set(memberId, owned.slice(0, this.#least))
      if (this.#larger < this.#largerMax) this.#medium.push(memberId)
    }
  }

  #unassigned(): TopicPartition[] {
    const assigned = new Set([...this.#assignments.values()].flat().map(partitionKey))
    return [...this.#counts]
      .flatMap(([topic, count]) =>
        Array.from({ length: count }, (_, partition) => ({ topic, partition })),
      )
      .filter((partition) => !assigned.has(partitionKey(partition)))
      .sort(comparePartitions)
  }

  /** In turns to those with less than the least; when there are none left, one more to each of the others. */
  #deal(unassigned: readonly TopicPartition[]): void {
    let next = 0
    for (const partition of unassigned) {
      if (next >= this.#small.length) next = 0
      const memberId = this.#small[next] ?? this.#medium.shift()
      const assigned = this.#assignments.get(memberId ?? '')
      if (memberId === undefined || assigned === undefined) {
        throw new Error('there are more partitions than the shares of all members')
      }
      assigned.push(partition)
      if (assigned.length === this.#least) {
        this.#small.splice(next, 1)
        this.#medium.push(memberId)
      } else if (assigned.length < this.#least) {
        next += 1
      }
    }
  }
}
