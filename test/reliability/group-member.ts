import {
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  kafkaError,
  kafkaErrorName,
  leaveGroupApi,
  offsetFetchApi,
  syncGroupApi,
} from '../../src/protocol/index.ts'
import { untilAnswered } from './broker-session.ts'
import type { BrokerSession } from './broker-session.ts'

export interface GroupMemberOptions {
  readonly session: BrokerSession
  readonly group: string
  readonly topic: string
  readonly partitions: number
}

/** What a member has in one generation of its group. */
export interface Membership {
  readonly memberId: string
  readonly generationId: number
  /** Where to read on, by partition. */
  readonly positions: Map<number, number>
}

const protocolType = 'consumer'
const protocolName = 'by turns'
const sessionTimeoutMs = 6_000
const rebalanceTimeoutMs = 6_000

/** A member of a classic group, which shares the partitions of one topic out by turns. */
export class GroupMember {
  readonly #options: GroupMemberOptions
  #memberId = ''

  constructor(options: GroupMemberOptions) {
    this.#options = options
  }

  /**
   * Joins until the group is stable with this member in it. Undefined when `goesOn` ends that.
   * Offsets that an open transaction may replace are waited for.
   */
  async join(goesOn: () => boolean): Promise<Membership | undefined> {
    const { session } = this.#options
    const { clock, random } = session.platform
    await this.#findCoordinator()
    while (goesOn()) {
      const membership = await untilAnswered(session, () => this.#joinOnce())
      if (membership !== undefined) return membership
      await clock.sleep(20 + random.integer(100))
    }
    return undefined
  }

  /** Whether the member may go on in this generation. */
  async heartbeat({ memberId, generationId }: Membership): Promise<boolean> {
    const { session, group } = this.#options
    const { errorCode } = await session.request(heartbeatApi, 4, {
      groupId: group,
      generationId,
      memberId,
    })
    return errorCode === kafkaError.NONE
  }

  async leave(): Promise<void> {
    const { session, group } = this.#options
    if (this.#memberId === '') return
    const members = [{ memberId: this.#memberId }]
    await untilAnswered(session, () =>
      session.request(leaveGroupApi, 4, { groupId: group, members }),
    )
  }

  /** As with real clients, the first one who looks for a coordinator has its topic made. */
  async #findCoordinator(): Promise<void> {
    const { session, group } = this.#options
    await untilAnswered(session, () =>
      session.request(findCoordinatorApi, 3, { key: group, keyType: 0 }),
    )
  }

  async #joinOnce(): Promise<Membership | undefined> {
    const { session, group } = this.#options
    const joined = await session.request(joinGroupApi, 9, {
      groupId: group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: this.#memberId,
      protocolType,
      protocols: [{ name: protocolName, metadata: Buffer.alloc(0) }],
    })
    const { errorCode, memberId, generationId, leader } = joined
    if (errorCode === kafkaError.UNKNOWN_MEMBER_ID) this.#memberId = ''
    if (errorCode === kafkaError.MEMBER_ID_REQUIRED) this.#memberId = memberId
    if (this.#mustTryAgain(errorCode)) return undefined
    this.#memberId = memberId
    const isLeader = leader === memberId
    const members = isLeader ? joined.members.map((member) => member.memberId).sort() : []
    const synced = await session.request(syncGroupApi, 5, {
      groupId: group,
      generationId,
      memberId,
      protocolType,
      protocolName,
      assignments: members.map((member, index) => ({
        memberId: member,
        assignment: Buffer.from(this.#partitionsOf(index, members.length).join()),
      })),
    })
    if (this.#mustTryAgain(synced.errorCode)) return undefined
    const assigned = synced.assignment.toString().split(',').filter(Boolean).map(Number)
    const positions = await this.#fetchOffsets(assigned)
    return positions === undefined ? undefined : { memberId, generationId, positions }
  }

  #partitionsOf(index: number, memberCount: number): number[] {
    const all = Array.from({ length: this.#options.partitions }, (_, partition) => partition)
    return all.filter((partition) => partition % memberCount === index)
  }

  /** The offsets that count; undefined while they are not known. */
  async #fetchOffsets(partitions: readonly number[]): Promise<Map<number, number> | undefined> {
    const { session, group, topic } = this.#options
    if (partitions.length === 0) return new Map()
    const topics = [{ name: topic, partitionIndexes: [...partitions] }]
    const response = await session.request(offsetFetchApi, 9, {
      groups: [{ groupId: group, topics }],
      requireStable: true,
    })
    const [found] = response.groups
    if (found === undefined) throw new Error('OffsetFetch was answered without the group')
    if (this.#mustTryAgain(found.errorCode)) return undefined
    const fetched = found.topics.flatMap((one) => one.partitions)
    if (fetched.some(({ errorCode }) => this.#mustTryAgain(errorCode))) return undefined
    return new Map(
      fetched.map(({ partitionIndex, committedOffset }) => [
        partitionIndex,
        Math.max(0, committedOffset),
      ]),
    )
  }

  /** An error that no client can handle is a defect of the broker. */
  #mustTryAgain(errorCode: number): boolean {
    if (errorCode === kafkaError.NONE) return false
    if (!expectedErrors.has(errorCode)) {
      throw new Error(`a member of a group got ${kafkaErrorName(errorCode)}`)
    }
    return true
  }
}

/** What Java's consumer handles by asking again. */
export const expectedErrors: ReadonlySet<number> = new Set([
  kafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaError.COORDINATOR_NOT_AVAILABLE,
  kafkaError.NOT_COORDINATOR,
  kafkaError.REBALANCE_IN_PROGRESS,
  kafkaError.ILLEGAL_GENERATION,
  kafkaError.UNKNOWN_MEMBER_ID,
  kafkaError.MEMBER_ID_REQUIRED,
  kafkaError.UNSTABLE_OFFSET_COMMIT,
])
