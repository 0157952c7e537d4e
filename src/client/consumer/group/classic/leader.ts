import type { Cluster } from '../../../cluster/cluster.ts'
import type { ClusterMetadata, TopicMetadata } from '../../../cluster/metadata.ts'
import { kafkaError } from '../../../../protocol/index.ts'
import type { Assignor, AssignorMember } from '../assignors/assignor.ts'
import { readSubscription, writeAssignment } from '../consumer-protocol.ts'
import { compareText, partitionKey } from '../../../topic-partition.ts'

/** A member as the broker lists it to the leader. */
export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** What SyncGroup takes for a member. */
export interface MemberAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

/** The members as assignors want them, in the order of their ids. Who cannot be understood gets nothing. */
export function assignorMembers(members: readonly JoinedMember[]): AssignorMember[] {
  return members
    .map(({ memberId, groupInstanceId, metadata }) => {
      const subscription = readSubscription(metadata) ?? unreadable
      return { ...subscription, memberId, groupInstanceId: groupInstanceId ?? undefined }
    })
    .sort((one, other) => compareText(one.memberId, other.memberId))
}

const unreadable = {
  topics: [],
  owned: [],
  generation: -1,
  rack: undefined,
  userData: null,
} as const

/** All topics that any of the members wants. */
export function wantedTopics(members: readonly AssignorMember[]): string[] {
  return [...new Set(members.flatMap(({ topics }) => topics))].sort(compareText)
}

/** What a leader hands out. */
export interface LeaderAssignments {
  readonly assignments: readonly MemberAssignment[]
  /** Whether some member still has to give up what nobody is given yet, and has to join again. */
  readonly areSomeWithheld: boolean
}

/** Lets the assignor do its work. An assignor that forgets a member, or invents one, is corrected. */
export function assignAll(
  assignor: Assignor,
  members: readonly AssignorMember[],
  counts: ReadonlyMap<string, number>,
): LeaderAssignments {
  const assigned = assignor.assign(members, counts)
  const given = new Set([...assigned.values()].flat().map(partitionKey))
  return {
    assignments: members.map(({ memberId }) => ({
      memberId,
      assignment: writeAssignment(assigned.get(memberId) ?? []),
    })),
    areSomeWithheld: members.some(({ owned }) =>
      owned.some((partition) => counts.has(partition.topic) && !given.has(partitionKey(partition))),
    ),
  }
}

/**
 * What the leader has to know of the topics while its generation lasts: their numbers of partitions. When
 * they change, the group must share out anew, and the leader is the only one who looks.
 */
export class LeaderView {
  readonly topics: readonly string[]
  readonly counts: ReadonlyMap<string, number>

  constructor(topics: readonly string[], cluster: Cluster, before?: LeaderView) {
    this.topics = topics
    this.counts = countPartitions(topics, cluster.metadata, before?.counts)
  }

  /** The topics that have another number of partitions now. */
  changed(metadata: ClusterMetadata): readonly string[] {
    const counts = countPartitions(this.topics, metadata, this.counts)
    return this.topics.filter((topic) => counts.get(topic) !== this.counts.get(topic))
  }
}

/** Of a topic that has trouble for the moment the number from before counts. */
function countPartitions(
  topics: readonly string[],
  metadata: ClusterMetadata,
  before: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const topic of topics) {
    const count = countOf(metadata.topics.get(topic)) ?? before.get(topic) ?? 0
    if (count > 0) counts.set(topic, count)
  }
  return counts
}

/** Undefined while it cannot be told. */
function countOf(topic: TopicMetadata | undefined): number | undefined {
  if (topic === undefined || topic.errorCode === kafkaError.UNKNOWN_TOPIC_OR_PARTITION) return 0
  return topic.errorCode === kafkaError.NONE ? topic.partitions.length : undefined
}
