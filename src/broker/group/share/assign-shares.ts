import { addPartition, hasPartition } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'

/** A member that is to get partitions, and what it has. */
export interface SharingMember {
  readonly memberId: string
  readonly topicIds: ReadonlySet<string>
  readonly assigned: TopicPartitions
}

interface Share {
  readonly member: SharingMember
  readonly partitions: Map<string, Set<number>>
  count: number
}

interface SharedPartition {
  readonly topicId: string
  readonly partition: number
  members: number
}

/**
 * Gives partitions to the members of a share group: each partition to somebody who subscribes to it,
 * and each member something, as evenly as can be. Where there are more members than partitions,
 * several get the same ones. Who has a partition keeps it unless it has too many.
 */
export function assignShares(
  members: readonly SharingMember[],
  partitionCount: (topicId: string) => number,
): ReadonlyMap<string, TopicPartitions> {
  const shares = members.map((member): Share => ({
    member,
    partitions: new Map<string, Set<number>>(),
    count: 0,
  }))
  const partitions = [...new Set(members.flatMap(({ topicIds }) => [...topicIds]))]
    .sort()
    .flatMap((topicId) =>
      Array.from({ length: partitionCount(topicId) }, (_, partition): SharedPartition => ({
        topicId,
        partition,
        members: 0,
      })),
    )
  const enough = Math.ceil(partitions.length / Math.max(1, members.length))
  const left = partitions.filter((partition) => !keep(shares, partition, enough))
  for (const partition of left) {
    const readers = shares.filter(({ member }) => member.topicIds.has(partition.topicId))
    give(
      least(readers, ({ count }) => count),
      partition,
    )
  }
  for (const share of shares) {
    if (share.count > 0) continue
    const wanted = partitions.filter(({ topicId }) => share.member.topicIds.has(topicId))
    const hadBefore = wanted.filter((one) => has(share, one))
    // What it had is as good as any other that as few members have.
    give(
      share,
      least([...hadBefore, ...wanted], (one) => one.members),
    )
  }
  return new Map(shares.map(({ member, partitions: assigned }) => [member.memberId, assigned]))
}

/** Lets somebody keep a partition; the one who has the least of those that have it. */
function keep(shares: readonly Share[], partition: SharedPartition, enough: number): boolean {
  const holders = shares.filter((share) => has(share, partition) && share.count < enough)
  const holder = least(holders, ({ count }) => count)
  give(holder, partition)
  return holder !== undefined
}

function has({ member }: Share, { topicId, partition }: SharedPartition): boolean {
  return member.topicIds.has(topicId) && hasPartition(member.assigned, topicId, partition)
}

function give(share: Share | undefined, partition: SharedPartition | undefined): void {
  if (share === undefined || partition === undefined) return
  addPartition(share.partitions, partition.topicId, partition.partition)
  share.count += 1
  partition.members += 1
}

/** The first of those with the smallest number. */
function least<Item>(items: readonly Item[], number: (item: Item) => number): Item | undefined {
  let found = items[0]
  for (const item of items) {
    if (found !== undefined && number(item) < number(found)) found = item
  }
  return found
}
