import {
  isRetriable,
  joinGroupApi,
  kafkaError,
  leaveGroupApi,
  syncGroupApi,
} from '../../../../protocol/index.ts'
import type { Timer } from '../../../../platform/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../../../protocol/index.ts'
import { Backoff } from '../../../backoff.ts'
import { isWorthRetrying } from '../../../client-error.ts'
import type { Cluster } from '../../../cluster/cluster.ts'
import { partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { Assignor } from '../assignors/assignor.ts'
import { readAssignment } from '../consumer-protocol.ts'
import type { CommitAuthority } from '../commit-queue.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import { revocationMs } from '../group-member-options.ts'
import type { GroupMemberOptions } from '../group-member-options.ts'
import { endingError } from '../member-errors.ts'
import type { MemberLife, MemberProtocol } from '../member-life.ts'
import type { CommitIdentity } from '../offset-messages.ts'
import { SilenceWatch } from '../silence-watch.ts'
import type { SubscribedTopics } from '../subscribed-topics.ts'
import { Wakeup } from '../wakeup.ts'
import { ClassicHeartbeat } from './classic-heartbeat.ts'
import { joinRequest, leaveRequest, syncRequest } from './classic-membership.ts'
import type { ClassicIdentity, LastAssignment } from './classic-membership.ts'
import { InstanceName } from './instance-name.ts'
import { assignAll, assignorMembers, LeaderView, wantedTopics } from './leader.ts'
import type { MemberAssignment } from './leader.ts'

type JoinResponse = ResponseOf<typeof joinGroupApi>

/** What a member of a classic group works with. */
export interface ClassicMemberWorld {
  readonly cluster: Cluster
  readonly coordinator: GroupCoordinator
  readonly options: GroupMemberOptions
  readonly life: MemberLife
  readonly topics: SubscribedTopics
}

/** The broker answers a join when the rebalance timeout is over at the latest. */
const joinGraceMs = 5_000

/**
 * A member of a classic group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
 *
 * - *outside*: no generation. Nothing is held.
 * - *joining*: JoinGroup is sent. A cooperative member still holds what it held in the generation before, and
 *   its heartbeats go on, for that generation.
 * - *syncing*: in a new generation, without its assignment. The leader makes the assignments meanwhile.
 * - *stable*: assigned. Also while partitions are given up before the next join.
 *
 * Stable leads to joining when the coordinator says that the group rebalances, when what the member wants has
 * changed, when a leader sees other partitions, and after a cooperative member has given up what it must. From
 * everywhere UNKNOWN_MEMBER_ID, an ILLEGAL_GENERATION while stable, a generation that a static member finds it
 * has missed, or a session timeout without an answer lead to outside, and everything held is lost.
 *
 * What a member claims to hold it claims for the generation that it was given it in (`#last`), never for a
 * newer one that it has only heard of: leaders believe the newest claim.
 */
export class ClassicMember implements MemberProtocol, CommitAuthority {
  readonly #world: ClassicMemberWorld
  readonly #heartbeat: ClassicHeartbeat
  readonly #backoff: Backoff
  readonly #isCooperative: boolean
  readonly #forgetMetadata: () => void
  readonly #joined = new Wakeup()
  #state: 'outside' | 'joining' | 'syncing' | 'stable' = 'outside'
  #memberId = ''
  #generation = -1
  #last: LastAssignment | undefined
  /** Why to join; undefined when there is no need. */
  #reason: string | undefined = 'first join'
  /** What the member has said that it wants. */
  #joinedTopics: readonly string[] = []
  #joins = 0
  #leaderView: LeaderView | undefined
  /** As the leader: some member may have to join again before all partitions have an owner. */
  #awaitsJoins = false
  #joinsTimer: Timer | undefined
  #topicsTimer: Timer | undefined
  /** Hears of the coordinator: of the times at which it is known to have known the member. */
  readonly #session: SilenceWatch
  /** Heartbeats that were told of a newer generation while a join is not answered. */
  #overtaken = 0
  /** A join that nobody waits for any more. */
  #abandoned: Promise<JoinResponse> | undefined
  readonly #name: InstanceName
  /** A commit was refused because of a rebalance; the next one waits until the member has joined so often. */
  #commitsFromJoin = 0

  constructor(world: ClassicMemberWorld) {
    const { cluster, coordinator, options } = world
    const { retryBackoffMs: firstMs, retryBackoffMsMax: limitMs } = cluster.options
    this.#world = world
    this.#name = new InstanceName(cluster.platform.clock, options.sessionTimeoutMs)
    this.#isCooperative = options.assignors.every(({ isCooperative }) => isCooperative)
    this.#backoff = new Backoff(cluster.platform.random, { firstMs, limitMs })
    this.#session = new SilenceWatch(cluster.platform.clock, options.sessionTimeoutMs, () =>
      this.#silent(),
    )
    this.#heartbeat = new ClassicHeartbeat(cluster, coordinator, options, {
      identity: () => (this.#generation < 0 ? undefined : this.#identity()),
      alive: (sentMs) => this.#session.heard(sentMs),
      refused: (code, identity) => this.#heartbeatRefused(code, identity),
      failed: (error) => this.#world.life.fail(error),
    })
    this.#forgetMetadata = cluster.onMetadata(() => this.#metadataChanged())
  }

  get isRebalancing(): boolean {
    return this.#state === 'joining' || this.#state === 'syncing'
  }

  get revocationMs(): number {
    const { options, cluster } = this.#world
    const { rebalanceTimeoutMs, heartbeatIntervalMs } = options
    return revocationMs(rebalanceTimeoutMs, heartbeatIntervalMs, cluster.options.requestTimeoutMs)
  }

  async step(): Promise<void> {
    const { life } = this.#world
    const reason = this.#reason
    if (reason === undefined) return life.wakeup.wait()
    await this.#giveUpBeforeJoin()
    const isDone = !life.isInterrupted && (await this.#rebalance(reason))
    if (!isDone) this.#reason ??= reason
  }

  /** What is wanted has changed. */
  subscriptionChanged(): void {
    const { topics } = this.#world
    if (topics.subscription?.kind === 'topics' && isSame(topics.names(), this.#joinedTopics)) return
    this.#requestJoin('the subscription has changed')
  }

  groupIdentity(): CommitIdentity | undefined {
    return this.#generation < 0 ? undefined : { ...this.#identity(), joins: this.#joins }
  }

  async leave({ stays, reason }: { stays: boolean; reason: string }): Promise<void> {
    const { coordinator, options } = this.#world
    this.#heartbeat.stop()
    const joining = this.#abandoned
    // The broker may just be giving it an id, with which it would keep the group waiting for a session timeout.
    if (this.#memberId === '' && joining !== undefined && !stays) {
      this.#memberId = await joining.then(({ memberId }) => memberId).catch(() => '')
    }
    const identity = this.#identity()
    this.#outside()
    this.#reason = 'comes back'
    if (stays || identity.memberId === '') return
    this.#forgetId()
    try {
      const request = leaveRequest(options.groupId, identity, reason)
      const isStatic = identity.groupInstanceId !== undefined
      await coordinator.request(leaveGroupApi, request, isStatic ? { versionMin: 3 } : {})
    } catch (error) {
      const fields = { group: options.groupId, error: (error as Error).message }
      this.#world.cluster.log(
        'warn',
        'group member: the group could not be told of the leave',
        fields,
      )
    }
  }

  stop(): void {
    this.#heartbeat.stop()
    this.#session.stop()
    this.#joinsTimer?.cancel()
    this.#topicsTimer?.cancel()
    this.#forgetMetadata()
    this.#joined.wake()
  }

  // Commits

  hold(partition: TopicPartition): number | undefined {
    this.#session.check()
    return this.#world.life.holdings.hold(partition)
  }

  identity(): CommitIdentity | undefined {
    return this.#joins < this.#commitsFromJoin ? undefined : this.groupIdentity()
  }

  ready(): Promise<void> {
    return this.#joined.wait()
  }

  refused(code: number, identity: CommitIdentity): void {
    const isPresent = identity.memberId === this.#memberId && identity.joins === this.#joins
    // Refused in a generation that is over for us as well: the next attempt is made in the new one.
    if (!isPresent) return
    if (code === kafkaError.REBALANCE_IN_PROGRESS || this.#state !== 'stable') {
      this.#commitsFromJoin = this.#joins + 1
      if (this.#state === 'stable') this.#requestJoin('a commit was told of a rebalance')
      return
    }
    this.#refused(code, 'commit')
  }

  // Joining

  /** An eager member gives everything up, a cooperative one only what it wants no more. */
  async #giveUpBeforeJoin(): Promise<void> {
    const { life, topics } = this.#world
    const held = life.holdings.list
    const unwanted = this.#isCooperative ? held.filter(({ topic }) => !topics.wants(topic)) : held
    await life.revoke(unwanted, this.revocationMs)
  }

  /** Answers whether the member has an assignment of the newest generation that it knows of. */
  async #rebalance(reason: string): Promise<boolean> {
    const { life, topics } = this.#world
    try {
      if ((await life.unlessInterrupted(topics.load().then(() => true))) !== true) return false
      const joined = await this.#join(reason)
      if (joined === undefined) return false
      const assignments = await life.unlessInterrupted(this.#lead(joined))
      if (assignments === undefined) return false
      const assignment = await this.#sync(joined, assignments)
      if (assignment === undefined) return false
      await this.#adopt(assignment)
      return true
    } catch (error) {
      if (!isWorthRetrying(error)) throw error
      await this.#pause()
      return false
    }
  }

  async #join(reason: string): Promise<JoinResponse | undefined> {
    const { cluster, coordinator, options, life, topics } = this.#world
    this.#abandoned = undefined
    this.#overtaken = 0
    this.#reason = undefined
    this.#joinedTopics = topics.names()
    this.#state = 'joining'
    const request = joinRequest(options, {
      memberId: this.#memberId,
      topics: this.#joinedTopics,
      held: life.holdings.list,
      last: this.#last,
      reason,
    })
    const sentMs = cluster.platform.clock.elapsedMs()
    const joining = coordinator.requestThatWaits(joinGroupApi, request, {
      timeoutMs: options.rebalanceTimeoutMs + joinGraceMs,
      ...(options.groupInstanceId === undefined ? {} : { versionMin: 5 }),
    })
    const mayArriveLate = this.#memberId === '' && options.groupInstanceId !== undefined
    if (mayArriveLate) joining.catch((error: unknown) => this.#name.joinUnanswered(error))
    const response = await life.unlessInterrupted(joining)
    if (response === undefined) {
      if (mayArriveLate) this.#name.joinUnanswered()
      this.#abandoned = joining
      return undefined
    }
    const { errorCode, memberId, generationId } = response
    if (errorCode === kafkaError.MEMBER_ID_REQUIRED) {
      this.#memberId = memberId
      return undefined
    }
    if (errorCode !== kafkaError.NONE) {
      await this.#joinRefused(errorCode)
      return undefined
    }
    const hasMissed = this.#hasMissed(generationId)
    this.#memberId = memberId
    this.#generation = generationId
    this.#state = 'syncing'
    if (hasMissed) {
      this.#lose('the group had a generation without it')
      return undefined
    }
    // Who holds something has heartbeats, which tell better than a join that may have waited for long.
    this.#session.heard(life.holdings.isEmpty ? cluster.platform.clock.elapsedMs() : sentMs)
    this.#heartbeat.start()
    return response
  }

  /**
   * A static member that does not join in time stays in the group as it joined last, and the leader may have thought that it held
   * nothing: what it holds was another's in the generation between, which may have got further.
   */
  #hasMissed(generation: number): boolean {
    const { options, life } = this.#world
    if (options.groupInstanceId === undefined || life.holdings.isEmpty) return false
    return generation > this.#generation + 1
  }

  async #joinRefused(code: number): Promise<void> {
    if (code === kafkaError.UNKNOWN_MEMBER_ID || code === kafkaError.FENCED_INSTANCE_ID) {
      this.#refused(code, 'join')
      return
    }
    const { coordinator, options } = this.#world
    const mayPass =
      coordinator.isElsewhere(code) ||
      code === kafkaError.REBALANCE_IN_PROGRESS ||
      isRetriable(code)
    if (!mayPass) throw endingError(code, options, 'join')
    await this.#pause()
  }

  /** Makes the assignments, when this member leads. */
  async #lead(joined: JoinResponse): Promise<readonly MemberAssignment[]> {
    const { cluster, topics } = this.#world
    const before = this.#leaderView
    this.#leaderView = undefined
    this.#awaitsJoins = false
    if (joined.leader !== joined.memberId) {
      topics.alsoWatch([])
      return []
    }
    const members = assignorMembers(joined.members)
    const wanted = wantedTopics(members)
    topics.alsoWatch(wanted)
    await cluster.refreshMetadata()
    this.#leaderView = new LeaderView(wanted, cluster, before)
    // A static leader that comes back to a stable group takes what is assigned already (KIP-814).
    this.#awaitsJoins = this.#isCooperative
    if (joined.skipAssignment) return []
    const assignor = this.#assignor(joined.protocolName)
    const assigned = assignAll(assignor, members, this.#leaderView.counts)
    this.#awaitsJoins = assigned.areSomeWithheld
    return assigned.assignments
  }

  #assignor(name: string | null): Assignor {
    const { assignors, groupId } = this.#world.options
    const found = assignors.find((assignor) => assignor.name === name)
    if (found !== undefined) return found
    throw new Error(
      `group ${groupId} has chosen the assignor '${name ?? ''}', which nobody offered`,
    )
  }

  async #sync(
    joined: JoinResponse,
    assignments: readonly MemberAssignment[],
  ): Promise<Buffer | undefined> {
    const { cluster, options, life, coordinator } = this.#world
    const { protocolName, memberId, generationId } = joined
    while (this.#generation === generationId && this.#memberId === memberId) {
      const sentMs = cluster.platform.clock.elapsedMs()
      const request = syncRequest(options.groupId, this.#identity(), protocolName, assignments)
      const response = await this.#answer(syncGroupApi, request)
      if (life.isInterrupted) return undefined
      if (response === undefined) continue
      const { errorCode } = response
      if (errorCode === kafkaError.NONE) {
        this.#name.assigned()
        this.#session.heard(sentMs)
        // A process that stood still finds answers from before: by now they may not be true any more.
        this.#session.check()
        return this.#generation === generationId ? response.assignment : undefined
      }
      if (coordinator.isElsewhere(errorCode)) {
        await this.#pause()
        continue
      }
      await this.#syncRefused(errorCode)
      return undefined
    }
    return undefined
  }

  /** Undefined: no answer came, and it can be asked for again in the same generation. */
  async #answer<A extends Api>(
    api: A,
    request: RequestInput<A>,
  ): Promise<ResponseOf<A> | undefined> {
    const { coordinator, life } = this.#world
    try {
      return await life.unlessInterrupted(coordinator.requestThatWaits(api, request))
    } catch (error) {
      if (!isWorthRetrying(error)) throw error
      await this.#pause()
      return undefined
    }
  }

  async #syncRefused(code: number): Promise<void> {
    // The group has gone on without this assignment; what was held before is held still.
    if (code === kafkaError.REBALANCE_IN_PROGRESS || code === kafkaError.ILLEGAL_GENERATION) return
    if (isRetriable(code)) await this.#pause()
    else this.#refused(code, 'sync')
  }

  async #adopt(bytes: Buffer): Promise<void> {
    const { life, topics, options } = this.#world
    const assigned = bytes.length === 0 ? [] : readAssignment(bytes)
    if (assigned === undefined) {
      throw new Error(
        `the leader of group ${options.groupId} sent an assignment that cannot be read`,
      )
    }
    // What was assigned to an older subscription is left alone: the next join is due already.
    const wanted = assigned.filter(({ topic }) => topics.wants(topic))
    const isAssigned = new Set(wanted.map(partitionKey))
    this.#last = { partitions: wanted, generation: this.#generation }
    this.#joins += 1
    this.#state = 'stable'
    this.#backoff.reset()
    this.#joined.wake()
    this.#watchForJoins()
    this.#watchForTopics()
    this.#metadataChanged()
    const gone = life.holdings.list.filter((held) => !isAssigned.has(partitionKey(held)))
    await life.assign(wanted)
    if (gone.length === 0) return
    await life.revoke(gone, this.revocationMs)
    this.#requestJoin('partitions were given up')
  }

  /**
   * Who has to give partitions up joins again when it has. A static member that dies before comes back to its
   * assignment without any join: nobody would ever be given those partitions.
   */
  #watchForJoins(): void {
    const { cluster, options } = this.#world
    this.#joinsTimer?.cancel()
    if (!this.#awaitsJoins) return
    const joins = this.#joins
    this.#joinsTimer = cluster.platform.clock.setTimer(options.rebalanceTimeoutMs, () => {
      if (this.#state !== 'stable' || this.#joins !== joins) return
      this.#requestJoin('partitions that were to be given up have no owner')
    })
  }

  /** New topics say nothing of themselves: what a pattern matches is found by looking. */
  #watchForTopics(): void {
    const { cluster, options, topics } = this.#world
    this.#topicsTimer?.cancel()
    if (topics.subscription?.kind !== 'pattern') return
    this.#topicsTimer = cluster.platform.clock.setTimer(options.patternRefreshMs, () => {
      cluster.metadataIsStale()
      this.#watchForTopics()
    })
  }

  // What comes up meanwhile

  #requestJoin(reason: string): void {
    this.#reason ??= reason
    this.#world.life.wakeup.wake()
  }

  #metadataChanged(): void {
    const { cluster, topics } = this.#world
    if (this.#state !== 'stable') return
    const changed = this.#leaderView?.changed(cluster.metadata) ?? []
    if (changed.length > 0) {
      this.#requestJoin(`the partitions of ${changed.join(', ')} have changed`)
    } else if (topics.subscription?.kind === 'pattern') {
      if (isSame(topics.names(), this.#joinedTopics)) return
      this.#requestJoin('other topics match the pattern')
    }
  }

  #heartbeatRefused(code: number, identity: ClassicIdentity): void {
    if (identity.memberId !== this.#memberId || identity.generation !== this.#generation) return
    if (code === kafkaError.REBALANCE_IN_PROGRESS) {
      if (this.#state === 'stable') this.#requestJoin('the group rebalances')
      return
    }
    if (code !== kafkaError.ILLEGAL_GENERATION || this.#state === 'stable') {
      this.#refused(code, 'heartbeat')
      return
    }
    // The join, or the assignment, was answered. If the answer does not come soon, it has got lost.
    this.#overtaken += 1
    if (this.#overtaken > 1) this.#world.life.interrupt()
  }

  /** The coordinator does not know the member, or not in this generation, or wants nothing to do with it. */
  #refused(code: number, what: string): void {
    const { life, options } = this.#world
    if (code === kafkaError.UNKNOWN_MEMBER_ID) this.#forgetId()
    else if (code !== kafkaError.ILLEGAL_GENERATION) {
      if (isRetriable(code)) return
      if (code === kafkaError.FENCED_INSTANCE_ID) {
        const isTakenBack = this.#name.isTakenBack(this.#memberId !== '')
        this.#forgetId()
        if (isTakenBack) {
          this.#lose(`fenced (${what}), perhaps by itself: it takes its name back`)
          return
        }
      }
      this.#outside()
      life.fail(endingError(code, options, what))
      return
    }
    this.#lose(`the coordinator has removed the member (${what}, code ${code})`)
  }

  /** Nothing was heard for so long that the coordinator may have given our partitions to others. */
  #silent(): void {
    const silentMs = Math.round(this.#session.silentMs)
    if (this.#generation >= 0) this.#lose(`nothing was heard of the coordinator for ${silentMs} ms`)
  }

  #lose(why: string): void {
    const { cluster, life, options } = this.#world
    cluster.log('warn', 'group member: it is out of the group', { group: options.groupId, why })
    this.#outside()
    this.#reason ??= why
    life.lose()
  }

  #forgetId(): void {
    this.#memberId = ''
    this.#name.idGone()
  }

  #outside(): void {
    this.#joinsTimer?.cancel()
    this.#topicsTimer?.cancel()
    this.#session.stop()
    this.#state = 'outside'
    this.#generation = -1
    this.#last = undefined
    this.#leaderView = undefined
    this.#joined.wake()
  }

  #identity(): ClassicIdentity {
    const { groupInstanceId } = this.#world.options
    return { memberId: this.#memberId, generation: this.#generation, groupInstanceId }
  }

  async #pause(): Promise<void> {
    await this.#world.life.sleep(this.#backoff.nextMs())
  }
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  return names.length === others.length && names.every((name, index) => name === others[index])
}
