import { partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { AssignorMember, PartitionCounts } from './assignor.ts'

/** What a member says that it holds, and since when. */
export interface MemberClaim {
  readonly member: AssignorMember
  readonly partitions: readonly TopicPartition[]
  readonly generation: number
}

/** Who holds what, as far as the members' words can be believed. */
export interface BelievedClaims {
  /** What each member holds; nobody holds what another does. */
  readonly owned: ReadonlyMap<string, readonly TopicPartition[]>
  readonly ownerOf: ReadonlyMap<string, string>
  /**
   * Claimed by two members for the same generation. One of them is wrong, nobody knows which: it counts as
   * held by neither, and must be given up by both before anybody gets it.
   */
  readonly disputed: ReadonlySet<string>
}

/**
 * Weighs the members' claims. A member that missed a rebalance still claims what it had before it,
 * though another may have been given it since: the word of the newer generation counts. Without that
 * a partition would have two owners.
 */
export function weighClaims(
  claims: readonly MemberClaim[],
  counts: PartitionCounts,
): BelievedClaims {
  const best = new Map<string, { memberId: string; generation: number }>()
  const disputed = new Set<string>()
  for (const { member, partitions, generation } of claims) {
    for (const partition of partitions) {
      if (!exists(partition, counts)) continue
      const key = partitionKey(partition)
      const known = best.get(key)
      if (known?.memberId === member.memberId) continue
      if (known === undefined || generation > known.generation) {
        best.set(key, { memberId: member.memberId, generation })
        disputed.delete(key)
      } else if (generation === known.generation) {
        disputed.add(key)
      }
    }
  }
  const owned = new Map<string, TopicPartition[]>()
  const ownerOf = new Map<string, string>()
  for (const { member, partitions } of claims) {
    const believed: TopicPartition[] = []
    owned.set(member.memberId, believed)
    for (const partition of partitions) {
      const key = partitionKey(partition)
      if (best.get(key)?.memberId !== member.memberId) continue
      if (disputed.has(key) || ownerOf.has(key)) continue
      believed.push(partition)
      ownerOf.set(key, member.memberId)
    }
  }
  return { owned, ownerOf, disputed }
}

function exists({ topic, partition }: TopicPartition, counts: PartitionCounts): boolean {
  return partition >= 0 && partition < (counts.get(topic) ?? 0)
}
