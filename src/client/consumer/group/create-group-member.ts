import { isStillHeld } from '../group-member.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type {
  CommittedOffset,
  OffsetToCommit,
  GroupMember,
  GroupMemberHandler,
  GroupMetadata,
  Subscription,
} from '../group-member.ts'
import { ClassicMember } from './classic/classic-member.ts'
import { chooseProtocol, withRemoteAssignor } from './choose-protocol.ts'
import { CommitQueue } from './commit-queue.ts'
import type { CommitAuthority } from './commit-queue.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import type { GroupMemberOptions } from './group-member-options.ts'
import { notJoined } from './member-errors.ts'
import { MemberLife } from './member-life.ts'
import type { MemberProtocol } from './member-life.ts'
import { ModernMember } from './modern/modern-member.ts'
import type { CommitIdentity } from './offset-messages.ts'
import { readOffsets } from './read-offsets.ts'
import { SubscribedTopics } from './subscribed-topics.ts'

/** A protocol of groups as a member speaks it. */
interface SpokenProtocol extends MemberProtocol, CommitAuthority {
  subscriptionChanged(): void
  groupIdentity(): CommitIdentity | undefined
}

/** Makes a member, which joins when it is subscribed. */
export function createGroupMember(
  cluster: Cluster,
  options: GroupMemberOptions,
  handler: GroupMemberHandler,
): GroupMember {
  return new Member(cluster, options, handler)
}

class Member implements GroupMember {
  readonly #cluster: Cluster
  readonly #options: GroupMemberOptions
  readonly #coordinator: GroupCoordinator
  readonly #topics: SubscribedTopics
  readonly #life: MemberLife
  readonly #commits: CommitQueue
  #protocol: SpokenProtocol | undefined
  /** The group turned out to be one of the classic protocol that stays it. */
  #isFallenBack = false
  #hasToldOfClassicTimes = false

  constructor(cluster: Cluster, options: GroupMemberOptions, handler: GroupMemberHandler) {
    this.#cluster = cluster
    this.#options = options
    this.#coordinator = new GroupCoordinator(cluster, options.groupId)
    this.#topics = new SubscribedTopics(cluster)
    this.#life = new MemberLife(cluster, options, handler)
    this.#commits = new CommitQueue(cluster, this.#coordinator, options.groupId, {
      hold: (partition) => this.#protocol?.hold(partition),
      identity: () => this.#protocol?.identity(),
      ready: () => this.#protocol?.ready() ?? Promise.resolve(),
      refused: (code, identity) => this.#protocol?.refused(code, identity),
    })
  }

  get groupId(): string {
    return this.#options.groupId
  }

  get assignment(): readonly TopicPartition[] {
    return this.#life.holdings.list
  }

  groupMetadata(): GroupMetadata {
    const identity = this.#protocol?.groupIdentity()
    if (identity === undefined || this.#life.isLosing) throw notJoined(this.groupId)
    const { generation, memberId, groupInstanceId } = identity
    const { losses } = this.#life
    const held = { [isStillHeld]: () => this.#life.losses === losses }
    return { groupId: this.groupId, generation, memberId, groupInstanceId, ...held }
  }

  subscribe(subscription: Subscription): void {
    if (this.#life.isEnded) throw notJoined(this.groupId)
    this.#topics.set(subscription)
    this.#protocol?.subscriptionChanged()
    this.#life.start((signal) => this.#chooseProtocol(signal))
  }

  commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void> {
    return this.#commits.commit(offsets, signal)
  }

  committed(
    partitions: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<readonly CommittedOffset[]> {
    return readOffsets(this.#cluster, this.#coordinator, this.groupId, partitions, signal)
  }

  polled(): void {
    this.#life.polled()
  }

  async close(options: { readonly deadlineMs: number; readonly leave: boolean }): Promise<void> {
    await this.#life.close(options)
    this.#protocol?.stop()
    this.#topics.release()
    this.#commits.close()
    this.#coordinator.close()
  }

  async #chooseProtocol(signal: AbortSignal): Promise<SpokenProtocol> {
    const chosen = this.#isFallenBack
      ? 'classic'
      : await chooseProtocol(this.#cluster, this.#coordinator, this.#options, this.#topics, signal)
    // Nobody waits for it any more: what was made now would be made a second time.
    signal.throwIfAborted()
    this.#protocol = chosen === 'classic' ? this.#classicMember() : this.#modernMember()
    return this.#protocol
  }

  #classicMember(): SpokenProtocol {
    return new ClassicMember({
      cluster: this.#cluster,
      coordinator: this.#coordinator,
      options: this.#options,
      life: this.#life,
      topics: this.#topics,
    })
  }

  #modernMember(): SpokenProtocol {
    this.#tellOfClassicTimes()
    const isFree = this.#options.groupProtocol === 'auto'
    const fallBack = (): void => {
      this.#isFallenBack = true
      this.#life.chooseAnew()
    }
    return new ModernMember({
      cluster: this.#cluster,
      coordinator: this.#coordinator,
      options: isFree ? withRemoteAssignor(this.#options) : this.#options,
      life: this.#life,
      topics: this.#topics,
      fallBack: isFree ? fallBack : undefined,
    })
  }

  /** Who has asked for a time and waits for another one should not have to find out why. */
  #tellOfClassicTimes(): void {
    const { classicTimesGiven, groupId } = this.#options
    if (this.#hasToldOfClassicTimes || classicTimesGiven.length === 0) return
    this.#hasToldOfClassicTimes = true
    const what = `${classicTimesGiven.join(' and ')} of a group count in the classic protocol alone`
    const instead =
      "in the consumer protocol brokers decide (group.consumer.session.timeout.ms, group.consumer.heartbeat.interval.ms): set it there, or groupProtocol: 'classic' here"
    this.#cluster.log('warn', `group member: ${what}; ${instead}`, { group: groupId })
  }
}
