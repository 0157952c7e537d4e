import type { ConsumerGroupRecord, RegularExpressionValue } from '../group-record.ts'
import { eachPartition, fromList, hasPartition, noPartitions } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import {
  assignmentOf,
  descriptionOf,
  isReconciled,
  leaveEpoch,
  newMember,
  noMemberAssignment,
  patternOf,
} from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** The topics that a pattern matched when it was last tried. */
export interface ResolvedPattern {
  readonly topics: ReadonlySet<string>
  /** The version of the cluster's topics that it was tried on. */
  readonly version: number
  readonly atMs: number
}

/**
 * A group whose assignments the broker makes (KIP-848).
 *
 * Three epochs: the *group's* goes up whenever members, subscriptions or topics change; the
 * *target's* follows when an assignment for that state of the group is made; each *member's*
 * follows when it has given up what the target takes away. The state follows from them:
 *
 * - *Empty*: no members.
 * - *Assigning*: the group's epoch is above the target's.
 * - *Reconciling*: some member is not where the target wants it.
 * - *Stable*: all are.
 *
 * A partition belongs to a member from the record that assigns it until the record that says that
 * the member has confirmed to have given it up, or that it is gone. Nobody else gets it meanwhile.
 *
 * Everything here but the last two fields follows from records: only `apply` changes it, with the
 * same records when they are written and when they are replayed.
 */
export class ConsumerGroup {
  readonly type = 'consumer'
  readonly groupId: string
  #epoch = 0
  #targetEpoch = 0
  #metadataHash = 0
  readonly #members = new Map<string, ConsumerMember>()
  readonly #memberByInstance = new Map<string, string>()
  readonly #target = new Map<string, TopicPartitions>()
  /** Who has a partition, by topic id and partition. */
  readonly #owners = new Map<string, Map<number, string>>()
  /** How many members subscribe with a pattern. */
  readonly #patternUsers = new Map<string, number>()
  readonly #patterns = new Map<string, ResolvedPattern>()
  #classicMembers = 0
  /** The version of the cluster's topics that the metadata hash was last compared with. */
  checkedTopicsVersion = 0
  /** Whether the patterns are about to be tried anew. */
  patternsAreDue = false

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

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  get patterns(): ReadonlyMap<string, ResolvedPattern> {
    return this.#patterns
  }

  get patternUsers(): ReadonlyMap<string, number> {
    return this.#patternUsers
  }

  get classicMemberCount(): number {
    return this.#classicMembers
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty'
    if (this.#epoch > this.#targetEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciled(member, this.#targetEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  memberOfInstance(instanceId: string | null): ConsumerMember | undefined {
    if (instanceId === null) return undefined
    return this.#members.get(this.#memberByInstance.get(instanceId) ?? '')
  }

  target(memberId: string): TopicPartitions {
    return this.#target.get(memberId) ?? noPartitions
  }

  hasTarget(memberId: string): boolean {
    return this.#target.has(memberId)
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** Whether a partition that the member is to get still belongs to another. */
  waitsForRelease(member: ConsumerMember): boolean {
    if (member.state !== 'unreleased') return false
    for (const [topicId, partition] of eachPartition(this.target(member.memberId))) {
      const missing = !hasPartition(member.assigned, topicId, partition)
      if (missing && this.ownerOf(topicId, partition) !== undefined) return true
    }
    return false
  }

  /** The topics that members subscribe to, by name or through a pattern. */
  subscribedTopics(members: Iterable<ConsumerMember> = this.#members.values()): Set<string> {
    const topics = new Set<string>()
    for (const member of members) {
      for (const name of member.topicNames) topics.add(name)
      const pattern = patternOf(member)
      if (pattern === undefined) continue
      for (const name of this.#patterns.get(pattern)?.topics ?? []) topics.add(name)
    }
    return topics
  }

  /** The members as they would be with some removed and one added or replaced. */
  membersAfter(removed: ReadonlySet<string>, changed?: ConsumerMember): ConsumerMember[] {
    const replaced = this.memberOfInstance(changed?.instanceId ?? null)?.memberId
    const members = [...this.#members.values()].filter(
      ({ memberId }) =>
        !removed.has(memberId) && memberId !== changed?.memberId && memberId !== replaced,
    )
    return changed === undefined ? members : [...members, changed]
  }

  apply(record: ConsumerGroupRecord): void {
    switch (record.kind) {
      case 'group-epoch':
        if (record.value === null) return
        this.#epoch = record.value.epoch
        this.#metadataHash = record.value.metadataHash
        return
      case 'target-epoch':
        this.#targetEpoch = record.value?.assignmentEpoch ?? -1
        return
      case 'target-member':
        if (record.value === null) this.#target.delete(record.member)
        else this.#target.set(record.member, fromList(record.value.topicPartitions))
        return
      case 'regular-expression':
        this.#resolvePattern(record.expression, record.value)
        return
      case 'member':
        if (record.value === null) this.#replace(record.member, undefined)
        else
          this.#replace(record.member, {
            ...this.#known(record.member),
            ...descriptionOf(record.value),
          })
        return
      case 'current-assignment':
        this.#applyAssignment(record)
    }
  }

  #applyAssignment(record: ConsumerGroupRecord & { kind: 'current-assignment' }): void {
    const { member: memberId, value } = record
    if (value !== null) {
      this.#replace(memberId, { ...this.#known(memberId), ...assignmentOf(value) })
      return
    }
    const member = this.#members.get(memberId)
    if (member === undefined) return
    const left = { ...noMemberAssignment, epoch: leaveEpoch, previousEpoch: leaveEpoch }
    this.#replace(memberId, { ...member, ...left })
  }

  #known(memberId: string): ConsumerMember {
    return this.#members.get(memberId) ?? newMember(memberId)
  }

  #resolvePattern(pattern: string, value: RegularExpressionValue | null): void {
    if (value === null) {
      this.#patterns.delete(pattern)
      return
    }
    const { topics, version, timestamp } = value
    this.#patterns.set(pattern, { topics: new Set(topics), version, atMs: timestamp })
  }

  #replace(memberId: string, member: ConsumerMember | undefined): void {
    const old = this.#members.get(memberId)
    if (old !== undefined) this.#forget(old)
    if (member === undefined) return
    this.#members.set(memberId, member)
    if (member.instanceId !== null) this.#memberByInstance.set(member.instanceId, memberId)
    if (member.classic !== null) this.#classicMembers += 1
    const pattern = patternOf(member)
    if (pattern !== undefined) {
      this.#patternUsers.set(pattern, (this.#patternUsers.get(pattern) ?? 0) + 1)
    }
    this.#own(member.assigned, memberId)
    this.#own(member.pendingRevocation, memberId)
  }

  #forget(member: ConsumerMember): void {
    this.#members.delete(member.memberId)
    if (this.#instanceOwner(member.instanceId) === member.memberId) {
      this.#memberByInstance.delete(member.instanceId ?? '')
    }
    if (member.classic !== null) this.#classicMembers -= 1
    const pattern = patternOf(member)
    if (pattern !== undefined) {
      const users = (this.#patternUsers.get(pattern) ?? 0) - 1
      if (users > 0) this.#patternUsers.set(pattern, users)
      else this.#patternUsers.delete(pattern)
    }
    this.#disown(member.assigned)
    this.#disown(member.pendingRevocation)
  }

  #instanceOwner(instanceId: string | null): string | undefined {
    return instanceId === null ? undefined : this.#memberByInstance.get(instanceId)
  }

  #own(partitions: TopicPartitions, memberId: string): void {
    for (const [topicId, partition] of eachPartition(partitions)) {
      const owners = this.#owners.get(topicId)
      if (owners === undefined) this.#owners.set(topicId, new Map([[partition, memberId]]))
      else owners.set(partition, memberId)
    }
  }

  #disown(partitions: TopicPartitions): void {
    for (const [topicId, partition] of eachPartition(partitions)) {
      const owners = this.#owners.get(topicId)
      owners?.delete(partition)
      if (owners?.size === 0) this.#owners.delete(topicId)
    }
  }
}
