import { compareText, partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'

/** Who has what while partitions are shared out, with the members in the order of their loads. */
export class ShareTable {
  readonly #partitions = new Map<string, Map<string, TopicPartition>>()
  readonly #owner = new Map<string, string>()
  /** Those who take part, the least loaded first; members with equal loads by their ids. */
  readonly #ordered: string[] = []
  #changes = 0

  /** Grows with each change: what was found out at one number holds while it stays. */
  get changes(): number {
    return this.#changes
  }

  add(memberId: string): void {
    this.#partitions.set(memberId, new Map())
    this.#insert(memberId)
  }

  /** Gives a partition to a member, taking it from whoever has it. */
  give(partition: TopicPartition, memberId: string): void {
    const key = partitionKey(partition)
    const from = this.#owner.get(key)
    if (from !== undefined) this.#change(from, (partitions) => partitions.delete(key))
    this.#owner.set(key, memberId)
    this.#change(memberId, (partitions) => partitions.set(key, partition))
  }

  /** The member takes no part until it is brought back; it keeps what it has. */
  setAside(memberId: string): void {
    this.#remove(memberId)
    this.#changes += 1
  }

  bringBack(memberId: string): void {
    this.#insert(memberId)
    this.#changes += 1
  }

  /** Whether the member takes part. */
  has(memberId: string): boolean {
    return this.#ordered[this.#place(memberId)] === memberId
  }

  members(): readonly string[] {
    return this.#ordered
  }

  ownerOf(partition: TopicPartition): string | undefined {
    return this.#owner.get(partitionKey(partition))
  }

  partitions(memberId: string): readonly TopicPartition[] {
    return [...(this.#partitions.get(memberId)?.values() ?? [])]
  }

  size(memberId: string): number {
    return this.#partitions.get(memberId)?.size ?? 0
  }

  smallestSize(): number {
    return this.size(this.#ordered[0] ?? '')
  }

  largestSize(): number {
    return this.size(this.#ordered.at(-1) ?? '')
  }

  /** The differences of load between all pairs of members that take part, added up. */
  imbalance(): number {
    let sum = 0
    this.#ordered.forEach((memberId, index) => {
      const size = this.size(memberId)
      for (const other of this.#ordered.slice(index + 1)) sum += this.size(other) - size
    })
    return sum
  }

  /** What those have who take part. */
  snapshot(): ReadonlyMap<string, readonly TopicPartition[]> {
    return new Map(this.#ordered.map((memberId) => [memberId, this.partitions(memberId)]))
  }

  restore(snapshot: ReadonlyMap<string, readonly TopicPartition[]>): void {
    for (const [memberId, partitions] of snapshot) {
      for (const partition of partitions) this.give(partition, memberId)
    }
  }

  assignments(): Map<string, TopicPartition[]> {
    return new Map([...this.#partitions].map(([memberId, held]) => [memberId, [...held.values()]]))
  }

  #change(memberId: string, change: (partitions: Map<string, TopicPartition>) => unknown): void {
    const partitions = this.#partitions.get(memberId)
    if (partitions === undefined) return
    const takesPart = this.has(memberId)
    if (takesPart) this.#remove(memberId)
    change(partitions)
    if (takesPart) this.#insert(memberId)
    this.#changes += 1
  }

  #insert(memberId: string): void {
    this.#ordered.splice(this.#place(memberId), 0, memberId)
  }

  #remove(memberId: string): void {
    const place = this.#place(memberId)
    if (this.#ordered[place] === memberId) this.#ordered.splice(place, 1)
  }

  /** Where the member is, or would be. */
  #place(memberId: string): number {
    const size = this.size(memberId)
    let low = 0
    let high = this.#ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#ordered[middle] ?? ''
      if (
        this.size(other) < size ||
        (this.size(other) === size && compareText(other, memberId) < 0)
      ) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
