import { consumerGroupHeartbeatApi, isRetriable, kafkaError } from '../../../../protocol/index.ts'
import type { ResponseOf } from '../../../../protocol/index.ts'
import { Backoff } from '../../../backoff.ts'
import { isWorthRetrying } from '../../../client-error.ts'
import type { Cluster } from '../../../cluster/cluster.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { CommitAuthority } from '../commit-queue.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import { revocationMs } from '../group-member-options.ts'
import type { GroupMemberOptions } from '../group-member-options.ts'
import { HeartbeatTimer } from '../heartbeat-timer.ts'
import { endingError } from '../member-errors.ts'
import type { MemberLife, MemberProtocol } from '../member-life.ts'
import type { CommitIdentity } from '../offset-messages.ts'
import { SilenceWatch } from '../silence-watch.ts'
import type { SubscribedTopics } from '../subscribed-topics.ts'
import { Wakeup } from '../wakeup.ts'
import { heartbeatRequest, leaveEpoch, stayAwayEpoch, withIds } from './heartbeat-messages.ts'
import type { HeartbeatContent, TopicIdPartitions } from './heartbeat-messages.ts'
import { differenceOf } from './reconciliation.ts'

type HeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeatApi>

/** What a member of a group of the consumer protocol works with. */
export interface ModernMemberWorld {
  readonly cluster: Cluster
  readonly coordinator: GroupCoordinator
  readonly options: GroupMemberOptions
  readonly life: MemberLife
  readonly topics: SubscribedTopics
  /** The group is one of the classic protocol, and stays it: takes the member over. Undefined: that is an error. */
  readonly fallBack: (() => void) | undefined
}

/** A heartbeat that is not answered is sent again several times before the session is over. */
const beatsPerSession = 4

/**
 * A member of a group of the consumer protocol (KIP-848): heartbeats carry everything.
 *
 * - *out*: nothing is sent. Before the first step, and after it has left.
 * - *joining*: epoch 0. Heartbeats tell everything, until one is answered.
 * - *member*: in an epoch. The coordinator says what it should hold, and the member gets there by itself: first it
 *   gives up what it should not hold, then it says so, then it takes what is new.
 *
 * Joining leads to member, and member back to joining with FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID or when nothing
 * was heard for a session timeout: then all that was held is lost.
 *
 * Heartbeats tell what has changed. After one that was not answered everything is told again: the
 * coordinator may have heard it, and gone on to an epoch that we do not know; it takes us back if what we
 * hold agrees with it.
 */
export class ModernMember implements MemberProtocol, CommitAuthority {
  /** A new epoch is told by the next heartbeat, and commits of the one before are made again in it. */
  readonly isRebalancing = false
  readonly #world: ModernMemberWorld
  readonly #timer: HeartbeatTimer
  readonly #backoff: Backoff
  readonly #forgetMetadata: () => void
  readonly #answered = new Wakeup()
  #state: 'out' | 'joining' | 'member' = 'out'
  #memberId: string
  #epoch = 0
  /** Changes with each life in the group: answers from an earlier one mean nothing. */
  #incarnation = 0
  #intervalMs: number
  /** Hears of the coordinator: of the times at which it is known to have known the member. */
  readonly #session: SilenceWatch
  #target: readonly TopicIdPartitions[] | undefined
  /** The ids of the topics of what is held. */
  #heldIds = new Map<string, string>()
  /** What the next heartbeat has to tell. */
  #tells = { all: true, subscription: true, owned: true }
  #hadPattern = false
  #hasGivenId = false
  /** The id of our last life in the group, which the coordinator may still have. */
  #lastMemberId: string | undefined
  #isKnown = false
  #hasWarnedOfInstance = false
  /** Since when the group is one of the classic protocol. */
  #classicSinceMs: number | undefined
  /** Heartbeats that were answered, and from which on commits may be tried again. */
  #answers = 0
  #commitsFromAnswer = 0

  constructor(world: ModernMemberWorld) {
    const { cluster, options } = world
    const { retryBackoffMs: firstMs, retryBackoffMsMax: limitMs } = cluster.options
    this.#world = world
    this.#intervalMs = options.heartbeatIntervalMs
    this.#memberId = newMemberId(cluster)
    this.#backoff = new Backoff(cluster.platform.random, { firstMs, limitMs })
    this.#session = new SilenceWatch(cluster.platform.clock, options.sessionTimeoutMs, () =>
      this.#silent(),
    )
    this.#timer = new HeartbeatTimer({
      clock: cluster.platform.clock,
      intervalMs: () => this.#intervalMs,
      beat: () => this.#beat(),
      late: (lateMs) => this.#late(lateMs),
    })
    this.#forgetMetadata = cluster.onMetadata(() => {
      if (this.#target !== undefined) world.life.wakeup.wake()
    })
  }

  get revocationMs(): number {
    const { options, cluster } = this.#world
    return revocationMs(options.rebalanceTimeoutMs, 0, cluster.options.requestTimeoutMs)
  }

  async step(): Promise<void> {
    const { life, cluster, topics } = this.#world
    if (this.#state === 'out') this.#join()
    // A process that stood still may have been given something that is another's by now.
    this.#session.check()
    const target = this.#target
    if (target === undefined) return life.wakeup.wait()
    const { metadata } = cluster
    const { gone, added, ids, unknownIds } = differenceOf(
      life.holdings.list,
      this.#heldIds,
      target,
      metadata,
    )
    const isPattern = topics.subscription?.kind === 'pattern'
    const wanted = added.filter(({ topic }) => isPattern || topics.wants(topic))
    if (gone.length > 0) {
      await life.revoke(gone, this.revocationMs)
      this.#tell('owned')
    } else if (wanted.length > 0) {
      for (const [topic, id] of ids) this.#heldIds.set(topic, id)
      await life.assign(wanted)
      this.#tell('owned')
    } else if (unknownIds.length > 0) {
      await this.#learnNames()
    } else {
      await life.wakeup.wait()
    }
  }

  subscriptionChanged(): void {
    if (this.#state !== 'out') this.#tell('subscription')
  }

  groupIdentity(): CommitIdentity | undefined {
    if (this.#state !== 'member') return undefined
    const { groupInstanceId } = this.#world.options
    return {
      generation: this.#epoch,
      memberId: this.#memberId,
      groupInstanceId,
      joins: this.#incarnation,
    }
  }

  async leave({ stays }: { stays: boolean; reason: string }): Promise<void> {
    const { coordinator, options, cluster } = this.#world
    const memberId = this.#memberId
    const isKnown = this.#isKnown
    this.#timer.stop()
    this.#state = 'out'
    this.#reset()
    if (!isKnown) return
    this.#isKnown = false
    const memberEpoch = stays ? stayAwayEpoch : leaveEpoch
    const request = heartbeatRequest(options, { memberId, memberEpoch }, { isComplete: false })
    try {
      await coordinator.request(consumerGroupHeartbeatApi, request)
    } catch (error) {
      const fields = { group: options.groupId, error: (error as Error).message }
      cluster.log('warn', 'group member: the group could not be told of the leave', fields)
    }
  }

  stop(): void {
    this.#timer.stop()
    this.#session.stop()
    this.#forgetMetadata()
    this.#answered.wake()
  }

  // Commits

  hold(partition: TopicPartition): number | undefined {
    this.#session.check()
    return this.#world.life.holdings.hold(partition)
  }

  identity(): CommitIdentity | undefined {
    return this.#answers < this.#commitsFromAnswer ? undefined : this.groupIdentity()
  }

  ready(): Promise<void> {
    return this.#answered.wait()
  }

  refused(code: number, identity: CommitIdentity): void {
    const isPresent = identity.joins === this.#incarnation && identity.generation === this.#epoch
    // A newer epoch has come meanwhile: the next attempt is made in it.
    if (!isPresent || this.#state !== 'member') return
    if (code === kafkaError.FENCED_INSTANCE_ID) this.#end(code, 'commit')
    else if (code === kafkaError.UNKNOWN_MEMBER_ID || code === kafkaError.FENCED_MEMBER_EPOCH) {
      const isStillKnown = code === kafkaError.FENCED_MEMBER_EPOCH
      this.#lose(`the coordinator fenced the member (commit, code ${code})`, isStillKnown)
    } else {
      // The coordinator has given us a newer epoch; the answer that says so is on its way, or got lost.
      const isAgain = this.#commitsFromAnswer === this.#answers
      this.#commitsFromAnswer = this.#answers + 1
      this.#timer.beatWithin(isAgain ? this.#backoff.nextMs() : 0)
    }
  }

  // Heartbeats

  #join(): void {
    this.#state = 'joining'
    this.#reset()
    this.#timer.start()
    this.#timer.beatWithin(0)
  }

  /** As if the group had never been heard of. */
  #reset(): void {
    this.#session.stop()
    this.#incarnation += 1
    this.#epoch = 0
    this.#target = undefined
    this.#tells = { all: true, subscription: true, owned: true }
    this.#answered.wake()
  }

  #tell(what: 'all' | 'subscription' | 'owned'): void {
    this.#tells[what] = true
    this.#timer.beatWithin(0)
  }

  async #beat(): Promise<void> {
    if (this.#state === 'out') return
    const { cluster, coordinator, options, life, topics } = this.#world
    const incarnation = this.#incarnation
    const content = this.#content()
    // A new life may begin before the request leaves: what is told belongs to the one that was.
    const identityFor = this.#identities()
    const sentMs = cluster.platform.clock.elapsedMs()
    this.#tells = { all: false, subscription: false, owned: false }
    this.#isKnown = true
    const isPattern = topics.subscription?.kind === 'pattern'
    try {
      await this.#endLastLife()
      const response = await coordinator.request(
        consumerGroupHeartbeatApi,
        (version) => heartbeatRequest(options, identityFor(version), content),
        {
          timeoutMs: options.sessionTimeoutMs / beatsPerSession,
          ...(isPattern ? { versionMin: 1 } : {}),
        },
      )
      if (incarnation === this.#incarnation) this.#take(response, sentMs)
    } catch (error) {
      if (!isWorthRetrying(error)) life.fail(error as Error)
      this.#again()
    }
  }

  /** As long as the coordinator has it, a member of the last life holds partitions, and our name. */
  async #endLastLife(): Promise<void> {
    const memberId = this.#lastMemberId
    if (memberId === undefined) return
    const { coordinator, options } = this.#world
    const memberEpoch = options.groupInstanceId === undefined ? leaveEpoch : stayAwayEpoch
    const request = heartbeatRequest(options, { memberId, memberEpoch }, { isComplete: false })
    await coordinator.request(consumerGroupHeartbeatApi, request)
    this.#lastMemberId = undefined
  }

  #content(): HeartbeatContent {
    const { life, topics } = this.#world
    const { all, subscription, owned } = this.#tells
    const tellsSubscription = all || subscription
    const hadPattern = this.#hadPattern
    if (topics.subscription?.kind === 'pattern') this.#hadPattern = true
    return {
      isComplete: all,
      hadPattern,
      ...(tellsSubscription && topics.subscription !== undefined
        ? { subscription: topics.subscription }
        : {}),
      ...(all || owned ? { owned: withIds(life.holdings.list, this.#heldIds) } : {}),
    }
  }

  /** Until version 1 it is the coordinator that gives a member its id. */
  #identities(): (version: number) => { memberId: string; memberEpoch: number } {
    const memberId = this.#memberId
    const memberEpoch = this.#epoch
    const mayBeNameless = memberEpoch === 0 && !this.#hasGivenId
    return (version) => ({
      memberId: mayBeNameless && version === 0 ? '' : memberId,
      memberEpoch,
    })
  }

  #again(): void {
    this.#tells.all = true
    this.#timer.beatWithin(this.#backoff.nextMs())
  }

  #take(response: HeartbeatResponse, sentMs: number): void {
    const { coordinator } = this.#world
    const { errorCode } = response
    if (errorCode === kafkaError.NONE) this.#welcome(response, sentMs)
    else if (coordinator.isElsewhere(errorCode)) this.#again()
    else this.#refusedBeat(errorCode, response.errorMessage)
  }

  #welcome(response: HeartbeatResponse, sentMs: number): void {
    const { life } = this.#world
    const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = response
    const incarnation = this.#incarnation
    this.#session.heard(sentMs)
    // A process that stood still finds answers from before: by now they may not be true any more.
    this.#session.check()
    if (incarnation !== this.#incarnation) return
    if (memberId !== null && memberId !== '') {
      this.#memberId = memberId
      this.#hasGivenId = true
    }
    this.#state = 'member'
    this.#classicSinceMs = undefined
    this.#epoch = memberEpoch
    this.#answers += 1
    this.#backoff.reset()
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs
    this.#answered.wake()
    if (assignment === null) return
    this.#target = assignment.topicPartitions
    life.wakeup.wake()
  }

  #refusedBeat(code: number, message: string | null): void {
    const { options, cluster } = this.#world
    if (code === kafkaError.UNKNOWN_MEMBER_ID || code === kafkaError.FENCED_MEMBER_EPOCH) {
      const isStillKnown = code === kafkaError.FENCED_MEMBER_EPOCH
      this.#lose(message ?? `the coordinator fenced the member (code ${code})`, isStillKnown)
    } else if (code === kafkaError.UNRELEASED_INSTANCE_ID) {
      if (!this.#hasWarnedOfInstance) {
        this.#hasWarnedOfInstance = true
        const { groupId: group, groupInstanceId } = options
        const fields = { group, groupInstanceId }
        cluster.log('warn', 'group member: its groupInstanceId is still another member’s', fields)
      }
      this.#again()
    } else if (isRetriable(code)) {
      this.#again()
    } else if (code === kafkaError.GROUP_ID_NOT_FOUND && this.#epoch === 0) {
      this.#groupIsClassic(message)
    } else {
      this.#end(code, 'heartbeat', message)
    }
  }

  /** Its members cannot be taken over: not just now, while they rebalance, or not at all. */
  #groupIsClassic(message: string | null): void {
    const { options, cluster, fallBack } = this.#world
    const now = cluster.platform.clock.elapsedMs()
    this.#isKnown = false
    this.#classicSinceMs ??= now
    if (fallBack !== undefined) fallBack()
    else if (now - this.#classicSinceMs < options.sessionTimeoutMs) this.#again()
    else this.#end(kafkaError.GROUP_ID_NOT_FOUND, 'heartbeat', message)
  }

  #end(code: number, what: string, message?: string | null): void {
    const { life, options } = this.#world
    if (code === kafkaError.FENCED_INSTANCE_ID) this.#isKnown = false
    this.#state = 'out'
    life.fail(endingError(code, options, what, message))
  }

  /** Nothing was heard for so long that the coordinator may have given our partitions to others. */
  #silent(): void {
    const silentMs = Math.round(this.#session.silentMs)
    this.#lose(`nothing was heard of the coordinator for ${silentMs} ms`, true)
  }

  #lose(why: string, isStillKnown: boolean): void {
    const { life, cluster, options } = this.#world
    cluster.log('warn', 'group member: it is out of the group', { group: options.groupId, why })
    if (isStillKnown) {
      // The same id would be refused: its epoch is not 0.
      this.#lastMemberId = this.#memberId
      this.#memberId = newMemberId(cluster)
      this.#hasGivenId = false
    }
    this.#state = 'joining'
    this.#reset()
    life.lose()
    this.#timer.beatWithin(0)
  }

  /** Asks for metadata until it names what is assigned, without holding up anything else. */
  async #learnNames(): Promise<void> {
    const { cluster, life } = this.#world
    try {
      const refreshed = cluster.refreshMetadata().then(() => true)
      if ((await life.unlessInterrupted(refreshed)) !== true) return
    } catch (error) {
      if (!isWorthRetrying(error)) throw error
    }
    await life.sleep(this.#backoff.nextMs())
  }

  #late(lateMs: number): void {
    const { cluster, options } = this.#world
    const { sessionTimeoutMs, groupId } = options
    if (lateMs < sessionTimeoutMs / 2) return
    cluster.log('warn', 'group member: the thread was blocked', {
      group: groupId,
      member: this.#memberId,
      blockedMs: Math.round(lateMs),
      sessionTimeoutMs,
    })
  }
}

/** An id of a member as it makes it itself (KIP-848): another one for each life. */
export function newMemberId({ platform }: Cluster): string {
  return Buffer.from(platform.random.bytes(16)).toString('base64url')
}
