import { partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { Assignments, Assignor, AssignorMember, PartitionCounts } from './assignor.ts'
import { weighClaims } from './claims.ts'
import type { MemberClaim } from './claims.ts'
import { shareEvenly } from './share-evenly.ts'
import { shareUnevenly } from './share-unevenly.ts'
import {
  readGeneration,
  readStickyUserData,
  writeGeneration,
  writeStickyUserData,
} from './sticky-user-data.ts'

/**
 * As even as can be, and of all even assignments one that moves few partitions. What members have is
 * given up by all before each rebalance; what they had is in their user data.
 */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  isCooperative: false,
  userData: ({ lastAssignment, lastGeneration }) =>
    lastAssignment === undefined
      ? null
      : writeStickyUserData({ partitions: lastAssignment, generation: lastGeneration }),
  assign: (members, counts) => share(members.map(claimInUserData), counts).assignments,
}

/**
 * As `sticky`, but members keep what they hold while the group rebalances (KIP-429). A partition that moves is
 * withheld from everybody until its owner has joined again without it.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  userData: ({ lastGeneration }) => writeGeneration(lastGeneration),
  assign: (members, counts) => {
    const { assignments, ownerOf, disputed } = share(members.map(claimInSubscription), counts)
    const settled = new Map<string, TopicPartition[]>()
    for (const [memberId, partitions] of assignments) {
      const mayHave = (partition: TopicPartition): boolean => {
        const key = partitionKey(partition)
        return !disputed.has(key) && (ownerOf.get(key) ?? memberId) === memberId
      }
      settled.set(memberId, partitions.filter(mayHave))
    }
    return settled
  },
}

function share(claims: readonly MemberClaim[], counts: PartitionCounts) {
  const believed = weighClaims(claims, counts)
  const assignments: Assignments = wantTheSame(claims)
    ? shareEvenly(believed.owned, counts)
    : shareUnevenly(claims, believed.owned, counts)
  return { assignments, ...believed }
}

function claimInUserData(member: AssignorMember): MemberClaim {
  return { member, ...readStickyUserData(member.userData) }
}

function claimInSubscription(member: AssignorMember): MemberClaim {
  const generation = member.generation >= 0 ? member.generation : readGeneration(member.userData)
  return { member, partitions: member.owned, generation }
}

function wantTheSame(claims: readonly MemberClaim[]): boolean {
  const [first, ...rest] = claims.map(({ member }) => new Set(member.topics))
  if (first === undefined) return true
  return rest.every(
    (topics) => topics.size === first.size && [...topics].every((t) => first.has(t)),
  )
}
