import { fromList, noPartitions, toList } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import type { ShareGroupRecord } from './share-record.ts'

/** A member of a share group, as the group's records describe it. */
export interface ShareMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** In ascending order. */
  readonly topicNames: readonly string[]
  readonly epoch: number
  readonly previousEpoch: number
  readonly assigned: TopicPartitions
}

export function newShareMember(memberId: string): ShareMember {
  return {
    memberId,
    rackId: null,
    clientId: '',
    clientHost: '',
    topicNames: [],
    epoch: 0,
    previousEpoch: 0,
    assigned: noPartitions,
  }
}

/**
 * A group whose members share partitions record by record (KIP-932). It is *Empty* without members,
 * and *Stable* with some: nothing has to be given up before others get it, so each member is where
 * the target wants it with its next heartbeat.
 *
 * Two epochs: the *group's* goes up whenever members, subscriptions or topics change, the *target's*
 * follows in the same change. Everything here but the last field follows from records.
 */
export class ShareGroup {
  readonly type = 'share'
  readonly groupId: string
  #epoch = 0
  #targetEpoch = 0
  #metadataHash = 0
  #partitions: TopicPartitions = noPartitions
  readonly #members = new Map<string, ShareMember>()
  readonly #target = new Map<string, TopicPartitions>()
  /** The version of the cluster's topics that the metadata hash was last compared with. */
  checkedTopicsVersion = 0

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get epoch(): number {
    return this.#epoch
  }

  get targetEpoch(): number {
    return this.#targetEpoch
  }

  get metadataHash(): number {
    return this.#metadataHash
  }

  /** The partitions of which the group has state, or may have. */
  get partitions(): TopicPartitions {
    return this.#partitions
  }

  get members(): ReadonlyMap<string, ShareMember> {
    return this.#members
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): 'Empty' | 'Stable' {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  target(memberId: string): TopicPartitions {
    return this.#target.get(memberId) ?? noPartitions
  }

  subscribedTopics(members: Iterable<ShareMember> = this.#members.values()): Set<string> {
    return new Set([...members].flatMap(({ topicNames }) => topicNames))
  }

  apply(record: ShareGroupRecord): void {
    switch (record.kind) {
      case 'share-epoch':
        this.#epoch = record.value?.epoch ?? 0
        this.#metadataHash = record.value?.metadataHash ?? 0
        return
      case 'share-target-epoch':
        this.#targetEpoch = record.value?.assignmentEpoch ?? 0
        return
      case 'share-target-member':
        if (record.value === null) this.#target.delete(record.member)
        else this.#target.set(record.member, fromList(record.value.topicPartitions))
        return
      case 'share-partitions':
        this.#partitions = fromList(record.value?.initializedTopics ?? [])
        return
      case 'share-member': {
        const { member, value } = record
        if (value === null) this.#members.delete(member)
        else {
          const { subscribedTopicNames: topicNames, ...described } = value
          this.#members.set(member, { ...this.#known(member), ...described, topicNames })
        }
        return
      }
      case 'share-assignment':
        this.#applyAssignment(record)
    }
  }

  #applyAssignment({ member, value }: ShareGroupRecord & { kind: 'share-assignment' }): void {
    if (value === null) {
      const known = this.#members.get(member)
      if (known !== undefined) this.#members.set(member, { ...known, assigned: noPartitions })
      return
    }
    this.#members.set(member, {
      ...this.#known(member),
      epoch: value.memberEpoch,
      previousEpoch: value.previousMemberEpoch,
      assigned: fromList(value.assignedPartitions),
    })
  }

  #known(memberId: string): ShareMember {
    return this.#members.get(memberId) ?? newShareMember(memberId)
  }
}

/** Kafka's number of a member that has what it is to have. */
const stableState = 0

export function shareMemberRecord(group: string, member: ShareMember): ShareGroupRecord {
  const { memberId, rackId, clientId, clientHost, topicNames } = member
  const value = { rackId, clientId, clientHost, subscribedTopicNames: [...topicNames] }
  return { kind: 'share-member', group, member: memberId, value }
}

export function shareAssignmentRecord(group: string, member: ShareMember): ShareGroupRecord {
  return {
    kind: 'share-assignment',
    group,
    member: member.memberId,
    value: {
      memberEpoch: member.epoch,
      previousMemberEpoch: member.previousEpoch,
      state: stableState,
      assignedPartitions: toList(member.assigned),
    },
  }
}

export function shareEpochRecord(
  group: string,
  epoch: number,
  metadataHash: number,
): ShareGroupRecord {
  return { kind: 'share-epoch', group, value: { epoch, metadataHash } }
}

/** What deletes a member: first what it has, last that it is. */
export function shareMemberTombstones(group: string, member: string): ShareGroupRecord[] {
  return [
    { kind: 'share-assignment', group, member, value: null },
    { kind: 'share-target-member', group, member, value: null },
    { kind: 'share-member', group, member, value: null },
  ]
}

/** What deletes a group and all its members; the group itself comes last. */
export function shareGroupTombstones({ groupId, members }: ShareGroup): ShareGroupRecord[] {
  return [
    ...[...members.keys()].flatMap((member) => shareMemberTombstones(groupId, member)),
    { kind: 'share-target-epoch', group: groupId, value: null },
    { kind: 'share-partitions', group: groupId, value: null },
    { kind: 'share-epoch', group: groupId, value: null },
  ]
}
