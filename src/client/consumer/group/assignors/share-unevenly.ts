import { compareText, partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { PartitionCounts } from './assignor.ts'
import type { MemberClaim } from './claims.ts'
import { PartitionMovements } from './partition-movements.ts'
import { ShareTable } from './share-table.ts'

/**
 * Shares partitions out among members that want different topics: members keep what they own, what is free
 * goes to whoever has least, and then partitions move one by one from members with more to members
 * with at least two less. The choices are those of Java's assignor, so that it does not matter which
 * member leads.
 */
export function shareUnevenly(
  claims: readonly MemberClaim[],
  owned: ReadonlyMap<string, readonly TopicPartition[]>,
  counts: PartitionCounts,
): Map<string, TopicPartition[]> {
  return new UnevenShare(claims, owned, counts).build()
}

class UnevenShare {
  readonly #claims: readonly MemberClaim[]
  readonly #owned: ReadonlyMap<string, readonly TopicPartition[]>
  readonly #counts: PartitionCounts
  /** Who wants a topic, and the topics that a member wants and that exist. */
  readonly #takers = new Map<string, string[]>()
  readonly #wanted = new Map<string, readonly string[]>()
  readonly #table = new ShareTable()
  readonly #movements = new PartitionMovements()
  /** Who had a partition before its present owner, by the word of an older generation. */
  readonly #previousOwner: ReadonlyMap<string, string>
  #mustRevoke = false

  constructor(
    claims: readonly MemberClaim[],
    owned: ReadonlyMap<string, readonly TopicPartition[]>,
    counts: PartitionCounts,
  ) {
    this.#claims = [...claims].sort((one, other) =>
      compareText(one.member.memberId, other.member.memberId),
    )
    this.#owned = owned
    this.#counts = counts
    for (const topic of counts.keys()) this.#takers.set(topic, [])
    for (const { member } of this.#claims) {
      const topics = [...new Set(member.topics)].filter((topic) => counts.has(topic))
      this.#wanted.set(member.memberId, topics)
      for (const topic of topics) this.#takers.get(topic)?.push(member.memberId)
    }
    this.#previousOwner = previousOwners(this.#claims)
  }

  build(): Map<string, TopicPartition[]> {
    const all = this.#allPartitions()
    for (const { member } of this.#claims) this.#table.add(member.memberId)
    this.#keepOwned()
    const unassigned = all.filter((partition) => this.#table.ownerOf(partition) === undefined)
    for (const partition of unassigned) {
      const memberId = this.#leastLoadedTaker(partition.topic)
      if (memberId !== undefined) this.#table.give(partition, memberId)
    }
    this.#balance(all, unassigned)
    return this.#table.assignments()
  }

  /** First the topics that fewest members want: for them there is least choice. */
  #allPartitions(): TopicPartition[] {
    const takers = (topic: string): number => this.#takers.get(topic)?.length ?? 0
    return [...this.#counts]
      .sort(([one], [other]) => takers(one) - takers(other) || compareText(one, other))
      .flatMap(([topic, count]) =>
        Array.from({ length: count }, (_, partition) => ({ topic, partition })),
      )
  }

  #keepOwned(): void {
    for (const [memberId, partitions] of this.#owned) {
      for (const partition of partitions) {
        if (this.#wants(memberId, partition.topic)) this.#table.give(partition, memberId)
        else this.#mustRevoke = true
      }
    }
  }

  #balance(all: readonly TopicPartition[], unassigned: readonly TopicPartition[]): void {
    const isNew = this.#table.largestSize() === 0
    const canMove = ({ topic }: TopicPartition): boolean => this.#hasChoice(topic)
    const movable = all.filter(canMove)
    const setAside = this.#setAside()
    const before = this.#table.snapshot()
    const imbalanceBefore = this.#table.imbalance()
    if (!this.#mustRevoke) this.#improve(unassigned.filter(canMove))
    const hasMoved = this.#improve(movable)
    if (!isNew && hasMoved && this.#table.imbalance() >= imbalanceBefore) {
      this.#table.restore(before)
    }
    for (const memberId of setAside) this.#table.bringBack(memberId)
  }

  /** Members that can neither get nor give anything take no part in the balancing. */
  #setAside(): string[] {
    const aside = [...this.#wanted.keys()].filter((memberId) => !this.#canChange(memberId))
    for (const memberId of aside) this.#table.setAside(memberId)
    return aside
  }

  #canChange(memberId: string): boolean {
    if (this.#table.size(memberId) < this.#sizeMax(memberId)) return true
    return this.#table.partitions(memberId).some(({ topic }) => this.#hasChoice(topic))
  }

  /** Moves partitions until no move makes it more even. Answers whether any was moved. */
  #improve(partitions: readonly TopicPartition[]): boolean {
    let hasMoved = false
    let movedInRound: boolean
    let unevenAt = -1
    do {
      movedInRound = false
      for (const partition of partitions) {
        if (unevenAt !== this.#table.changes) {
          if (this.#isBalanced()) break
          unevenAt = this.#table.changes
        }
        if (!this.#moveToBetter(partition)) continue
        movedInRound = true
        hasMoved = true
      }
    } while (movedInRound)
    return hasMoved
  }

  #moveToBetter(partition: TopicPartition): boolean {
    const owner = this.#table.ownerOf(partition)
    if (owner === undefined) return false
    const size = this.#table.size(owner)
    const isLess = (memberId: string): boolean => size > this.#table.size(memberId) + 1
    const previous = this.#previousOwner.get(partitionKey(partition))
    if (previous !== undefined && this.#takesPart(previous, partition.topic) && isLess(previous)) {
      this.#move(partition, previous)
      return true
    }
    if (!(this.#takers.get(partition.topic) ?? []).some((m) => this.#table.has(m) && isLess(m))) {
      return false
    }
    const least = this.#leastLoadedTaker(partition.topic)
    if (least === undefined) return false
    this.#move(partition, least)
    return true
  }

  /** Rather than two partitions of a topic that change places, one stays where it was. */
  #move(partition: TopicPartition, to: string): void {
    const from = this.#table.ownerOf(partition) ?? ''
    const moved = this.#movements.better(partition, from, to)
    const owner = this.#table.ownerOf(moved) ?? ''
    this.#movements.note(moved, owner, to)
    this.#table.give(moved, to)
  }

  #isBalanced(): boolean {
    if (this.#table.smallestSize() >= this.#table.largestSize() - 1) return true
    for (const memberId of this.#table.members()) {
      const size = this.#table.size(memberId)
      const topics = this.#wanted.get(memberId) ?? []
      if (size === this.#sizeMax(memberId)) continue
      for (const topic of topics) {
        if (this.#someoneHasMore(topic, memberId, size)) return false
      }
    }
    return true
  }

  /** Whether a partition of the topic could move to the member and make it more even. */
  #someoneHasMore(topic: string, memberId: string, size: number): boolean {
    const count = this.#counts.get(topic) ?? 0
    for (let partition = 0; partition < count; partition++) {
      const owner = this.#table.ownerOf({ topic, partition })
      if (owner === undefined || owner === memberId || !this.#table.has(owner)) continue
      if (size + 1 < this.#table.size(owner)) return true
    }
    return false
  }

  #leastLoadedTaker(topic: string): string | undefined {
    return this.#table.members().find((memberId) => this.#wants(memberId, topic))
  }

  #takesPart(memberId: string, topic: string): boolean {
    return this.#table.has(memberId) && this.#wants(memberId, topic)
  }

  #wants(memberId: string, topic: string): boolean {
    return this.#wanted.get(memberId)?.includes(topic) === true
  }

  #hasChoice(topic: string): boolean {
    return (this.#takers.get(topic)?.length ?? 0) >= 2
  }

  #sizeMax(memberId: string): number {
    const topics = this.#wanted.get(memberId) ?? []
    return topics.reduce((sum, topic) => sum + (this.#counts.get(topic) ?? 0), 0)
  }
}

/** The latest owner of a partition in a generation before the newest that any member tells of. */
function previousOwners(claims: readonly MemberClaim[]): ReadonlyMap<string, string> {
  const newest = Math.max(-1, ...claims.map(({ generation }) => generation))
  const found = new Map<string, { memberId: string; generation: number }>()
  for (const { member, partitions, generation } of claims) {
    if (generation >= newest) continue
    for (const partition of partitions) {
      const known = found.get(partitionKey(partition))
      if (known !== undefined && known.generation >= generation) continue
      found.set(partitionKey(partition), { memberId: member.memberId, generation })
    }
  }
  return new Map([...found].map(([key, { memberId }]) => [key, memberId]))
}
