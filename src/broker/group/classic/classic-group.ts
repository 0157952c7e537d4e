import type { joinGroupApi, ResponseInput, syncGroupApi } from '../../../protocol/index.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { consumerProtocolType, readSubscribedTopics } from '../consumer-protocol.ts'
import { metadataOf, noAssignment } from './classic-member.ts'
import type { ClassicMember, ClassicProtocol } from './classic-member.ts'

export type JoinResponse = ResponseInput<typeof joinGroupApi>
export type SyncResponse = ResponseInput<typeof syncGroupApi>
export type JoinAnswer = (response: JoinResponse) => void
export type SyncAnswer = (response: SyncResponse) => void

export type ClassicState =
  'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

const predecessors: Record<ClassicState, readonly ClassicState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
}

/** How a group begins, or what a record says of it. */
export interface ClassicGroupStart {
  readonly groupId: string
  readonly state: 'Empty' | 'Stable'
  readonly stateSinceMs: number
  readonly generation: number
  readonly protocolType: string | undefined
  readonly protocolName: string | undefined
  readonly leaderId: string | undefined
}

/**
 * A group whose members agree on an assignment among themselves: the broker chooses the protocol,
 * one member (the leader) makes the assignment, the broker hands it out.
 *
 * - *Empty*: no members. Without a protocol type it is a *simple* group, which only keeps offsets.
 * - *PreparingRebalance*: members have to join (again); their joins wait.
 * - *CompletingRebalance*: the next generation is made and all joins are answered; members ask for
 *   their assignments and wait for the leader to send them.
 * - *Stable*: everybody can have its assignment.
 * - *Dead*: the coordinator has moved away. Nothing leads out of it.
 *
 * A generation is one passage from PreparingRebalance to CompletingRebalance (or Empty). The
 * methods here change the group; they neither set timers nor write records.
 */
export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  #state: ClassicState
  #previousState: ClassicState = 'Dead'
  /** -1 where a record of an old version did not say. */
  #stateSinceMs: number
  #generation: number
  #protocolType: string | undefined
  #protocolName: string | undefined
  #leaderId: string | undefined
  readonly #members = new Map<string, ClassicMember>()
  readonly #memberByInstance = new Map<string, string>()
  /** How many members support a protocol. */
  readonly #supporters = new Map<string, number>()
  readonly #waitingJoins = new Map<string, JoinAnswer>()
  readonly #waitingSyncs = new Map<string, SyncAnswer>()
  /** Ids that were given out and have not been used to join yet. */
  readonly pendingJoins = new Set<string>()
  /** Members of this generation that have not asked for their assignments yet. */
  readonly pendingSyncs = new Set<string>()
  /** Set when the group was read from the log in the middle of what its members must know of. */
  owesRebalance = false
  /** Whether somebody has joined since the initial delay was last extended. */
  newMemberAdded = false
  #subscribedTopics: ReadonlySet<string> | undefined

  constructor(start: ClassicGroupStart) {
    this.groupId = start.groupId
    this.#state = start.state
    this.#stateSinceMs = start.stateSinceMs
    this.#generation = start.generation
    this.#protocolType = start.protocolType
    this.#protocolName = start.protocolName
    this.#leaderId = start.leaderId
  }

  get state(): ClassicState {
    return this.#state
  }

  get previousState(): ClassicState {
    return this.#previousState
  }

  get stateSinceMs(): number {
    return this.#stateSinceMs
  }

  get generation(): number {
    return this.#generation
  }

  get protocolType(): string | undefined {
    return this.#protocolType
  }

  get protocolName(): string | undefined {
    return this.#protocolName
  }

  get leaderId(): string | undefined {
    return this.#leaderId
  }

  get members(): ReadonlyMap<string, ClassicMember> {
    return this.#members
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  get usesConsumerProtocol(): boolean {
    return this.#protocolType === consumerProtocolType
  }

  get canRebalance(): boolean {
    return predecessors.PreparingRebalance.includes(this.#state)
  }

  setState(next: ClassicState, nowMs: number): void {
    if (!predecessors[next].includes(this.#state)) {
      throw new Error(`group ${this.groupId} cannot go from ${this.#state} to ${next}`)
    }
    this.#previousState = this.#state
    this.#state = next
    this.#stateSinceMs = nowMs
  }

  memberOfInstance(instanceId: string | null): ClassicMember | undefined {
    if (instanceId === null) return undefined
    return this.#members.get(this.#memberByInstance.get(instanceId) ?? '')
  }

  /** Checks that a member exists, and that a static one is still the owner of its instance id. */
  checkMember(memberId: string, instanceId: string | null): ClassicMember | Refusal {
    if (instanceId !== null) {
      const owner = this.memberOfInstance(instanceId)
      if (owner === undefined) return refuse('UNKNOWN_MEMBER_ID', `no member is ${instanceId}`)
      if (owner.memberId !== memberId) {
        return refuse('FENCED_INSTANCE_ID', `another member has taken over ${instanceId}`)
      }
    }
    return this.#members.get(memberId) ?? refuse('UNKNOWN_MEMBER_ID', `no member is ${memberId}`)
  }

  /** The longest time that any member wants to have for a rebalance. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.#members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs)
    }
    return longest
  }

  add(member: ClassicMember, protocolType: string): void {
    if (this.#members.size === 0) this.#protocolType = protocolType
    this.#members.set(member.memberId, member)
    if (member.instanceId !== null) this.#memberByInstance.set(member.instanceId, member.memberId)
    this.#leaderId ??= member.memberId
    this.#countSupport(member.protocols, 1)
    this.pendingJoins.delete(member.memberId)
  }

  /** Takes out a member, or an id that was given out. What it waits for is not answered. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member !== undefined) {
      this.#members.delete(memberId)
      if (member.instanceId !== null) this.#memberByInstance.delete(member.instanceId)
      this.#countSupport(member.protocols, -1)
    }
    this.#waitingJoins.delete(memberId)
    this.#waitingSyncs.delete(memberId)
    this.pendingJoins.delete(memberId)
    this.pendingSyncs.delete(memberId)
    if (this.#leaderId === memberId) this.#leaderId = this.#members.keys().next().value
  }

  /** Replaces what a member supports and how long it may be silent. */
  update(
    member: ClassicMember,
    change: Pick<ClassicMember, 'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>,
  ): void {
    this.#countSupport(member.protocols, -1)
    Object.assign(member, change)
    this.#countSupport(member.protocols, 1)
  }

  /** Gives a static member's place to its next incarnation; whoever waits under the old id is fenced. */
  replaceStatic(old: ClassicMember, memberId: string): ClassicMember {
    const fenced = kafkaError.FENCED_INSTANCE_ID
    this.answerJoin(old.memberId, joinError(fenced, old.memberId))
    this.answerSync(old.memberId, { errorCode: fenced, assignment: noAssignment })
    const member = { ...old, memberId, isNew: false }
    this.#members.delete(old.memberId)
    this.#members.set(memberId, member)
    if (old.instanceId !== null) this.#memberByInstance.set(old.instanceId, memberId)
    if (this.#leaderId === old.memberId) this.#leaderId = memberId
    if (this.pendingSyncs.delete(old.memberId)) this.pendingSyncs.add(memberId)
    return member
  }

  #countSupport(protocols: readonly ClassicProtocol[], change: 1 | -1): void {
    for (const { name } of protocols) {
      this.#supporters.set(name, (this.#supporters.get(name) ?? 0) + change)
    }
  }

  /** Whether a newcomer has a protocol that all members support, too. */
  supports(protocolType: string, protocols: readonly ClassicProtocol[]): boolean {
    if (this.isEmpty) return protocolType !== '' && protocols.length > 0
    if (protocolType !== this.#protocolType) return false
    return protocols.some(({ name }) => this.#supporters.get(name) === this.#members.size)
  }

  /** The protocol that all members support and most of them prefer; of equals, the first. */
  selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.#members.values()) {
      const vote = protocols.find(({ name }) => this.#supporters.get(name) === this.#members.size)
      if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    let chosen = ''
    for (const [name, count] of votes) {
      if (count > (votes.get(chosen) ?? 0)) chosen = name
    }
    return chosen
  }

  /** Settles on a protocol; the members must have one in common. */
  chooseProtocol(): void {
    this.#protocolName = this.#members.size === 0 ? undefined : this.selectProtocol()
    this.updateSubscribedTopics()
  }

  /** Makes the next generation of those who are members now. */
  beginGeneration(nowMs: number): void {
    this.#generation += 1
    this.chooseProtocol()
    this.setState(this.#members.size === 0 ? 'Empty' : 'CompletingRebalance', nowMs)
    this.pendingSyncs.clear()
  }

  /** Whether the leader has rejoined; if not, one of those who have becomes the leader. */
  electLeader(): boolean {
    if (this.#leaderId === undefined) return false
    if (this.#waitingJoins.has(this.#leaderId)) return true
    const joined = this.#waitingJoins.keys().next().value
    if (joined === undefined) return false
    this.#leaderId = joined
    return true
  }

  get allJoined(): boolean {
    return this.#waitingJoins.size === this.#members.size && this.pendingJoins.size === 0
  }

  get waitingJoinCount(): number {
    return this.#waitingJoins.size
  }

  waitsForJoin(memberId: string): boolean {
    return this.#waitingJoins.has(memberId)
  }

  waitsForSync(memberId: string): boolean {
    return this.#waitingSyncs.has(memberId)
  }

  /** A member whose request we hold back cannot send heartbeats meanwhile. */
  needsNoHeartbeat(member: ClassicMember): boolean {
    return (
      !member.isNew && (this.waitsForJoin(member.memberId) || this.waitsForSync(member.memberId))
    )
  }

  awaitJoin(memberId: string, answer: JoinAnswer): void {
    this.#waitingJoins.set(memberId, answer)
  }

  awaitSync(memberId: string, answer: SyncAnswer): void {
    this.#waitingSyncs.set(memberId, answer)
  }

  answerJoin(memberId: string, response: JoinResponse): void {
    const answer = this.#waitingJoins.get(memberId)
    this.#waitingJoins.delete(memberId)
    answer?.(response)
  }

  /** Answers whether the member was waiting. */
  answerSync(memberId: string, response: SyncResponse): boolean {
    const answer = this.#waitingSyncs.get(memberId)
    this.#waitingSyncs.delete(memberId)
    answer?.(response)
    return answer !== undefined
  }

  /** Sends everybody who waits away with an error. */
  answerAll(errorCode: number): void {
    for (const memberId of [...this.#waitingJoins.keys()]) {
      this.answerJoin(memberId, joinError(errorCode, memberId))
    }
    for (const memberId of [...this.#waitingSyncs.keys()]) {
      this.answerSync(memberId, { errorCode, assignment: noAssignment })
    }
  }

  /** The successful answer to a member's join in this generation. */
  joinResponse(memberId: string): JoinResponse {
    const isLeader = this.#leaderId === memberId
    return {
      errorCode: kafkaError.NONE,
      generationId: this.#generation,
      protocolType: this.#protocolType ?? null,
      protocolName: this.#protocolName ?? null,
      leader: this.#leaderId ?? '',
      memberId,
      members: isLeader ? this.#membersForLeader() : [],
    }
  }

  #membersForLeader(): JoinResponse['members'] {
    const protocolName = this.#protocolName ?? ''
    return [...this.#members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      metadata: metadataOf(member, protocolName),
    }))
  }

  /** The topics that the members subscribe to; undefined when that is not known. */
  get subscribedTopics(): ReadonlySet<string> | undefined {
    return this.#subscribedTopics
  }

  isSubscribed(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? this.usesConsumerProtocol
  }

  updateSubscribedTopics(): void {
    this.#subscribedTopics = this.#computeSubscribedTopics()
  }

  #computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (!this.usesConsumerProtocol) return undefined
    const all = new Set<string>()
    if (this.#members.size === 0) return all
    const protocolName = this.#protocolName
    if (protocolName === undefined) return undefined
    for (const member of this.#members.values()) {
      const topics = readSubscribedTopics(metadataOf(member, protocolName))
      if (topics === undefined) return undefined
      for (const topic of topics) all.add(topic)
    }
    return all
  }
}

export function joinError(errorCode: number, memberId: string): JoinResponse {
  return { errorCode, protocolName: null, leader: '', memberId, members: [] }
}
