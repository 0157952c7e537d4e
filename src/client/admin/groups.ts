import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { deleteGroupsApi, kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach } from './ask-each.ts'
import type { BrokerResults } from './ask-every-broker.ts'
import { describeGroups } from './describe-groups.ts'
import type { GroupDescription } from './describe-groups.ts'
import { alterGroupOffsets, deleteGroupOffsets, readGroupOffsets } from './group-offsets.ts'
import type {
  GroupOffset,
  GroupOffsets,
  GroupOffsetsQuestion,
  NewGroupOffset,
} from './group-offsets.ts'
import { answerOf, onlyAnswer } from './item-result.ts'
import type { Done, ItemResult, PartitionResult } from './item-result.ts'
import { listGroups } from './list-groups.ts'
import type { GroupListing, ListGroupsOptions } from './list-groups.ts'
import { byKey, byPartition, nameOf, partitionResults } from './partitions.ts'
import { memberKey, membersOf, removeMembers } from './remove-members.ts'
import type { MemberReference, MemberResult } from './remove-members.ts'
import { resetOffsets } from './reset-offsets.ts'
import type { OffsetReset, ResetOffset } from './reset-offsets.ts'
import { coordinatorRoute } from './routes.ts'
import type { ChangeOptions } from './topics.ts'

export interface DescribeGroupsOptions extends AdminCallOptions {
  /** Whether to ask what this client may do with them. @defaultValue false */
  readonly authorizedOperations?: boolean
}

export interface RemoveMembersOptions extends AdminCallOptions {
  /** For the broker's log. */
  readonly reason?: string
}

export interface GroupOffsetsOptions extends AdminCallOptions {
  /** Whether to wait for transactions that are about to commit offsets. @defaultValue false */
  readonly requireStable?: boolean
}

/** Groups of both protocols, and their offsets. */
export class GroupAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * All groups, by id. Throws when a broker cannot be asked, because its groups would be missing.
   *
   * @example
   * const empty = await admin.groups.list({ states: ['Empty'], types: ['classic', 'consumer'] })
   */
  async list(options: ListGroupsOptions = {}): Promise<GroupListing[]> {
    const groups = new Map<string, GroupListing>()
    for (const result of (await this.listByBroker(options)).values()) {
      // One that moves while brokers are asked may be told of twice.
      for (const group of answerOf(result).groups) groups.set(group.groupId, group)
    }
    return [...groups.values()].sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
  }

  /** The groups that each broker coordinates. */
  listByBroker(
    options: ListGroupsOptions = {},
  ): Promise<BrokerResults<{ readonly groups: readonly GroupListing[] }>> {
    return this.#call('list', options, ['states', 'types'], (call) => listGroups(call, options))
  }

  /** A group and its members. One that does not exist is GROUP_ID_NOT_FOUND. */
  async describe(groupId: string, options: DescribeGroupsOptions = {}): Promise<GroupDescription> {
    return onlyAnswer(await this.describeMany([groupId], options))
  }

  /** Groups and their members. */
  describeMany(
    groupIds: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Map<string, ItemResult<GroupDescription>>> {
    return this.#call('describe', options, ['authorizedOperations'], (call) =>
      describeGroups(call, byGroupId(groupIds), options.authorizedOperations ?? false),
    )
  }

  /** Deletes a group that has no members, and its offsets. */
  async delete(groupId: string, options: AdminCallOptions = {}): Promise<Done> {
    return onlyAnswer(await this.deleteMany([groupId], options))
  }

  /** Deletes groups, each for itself. */
  deleteMany(
    groupIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Map<string, ItemResult<Done>>> {
    return this.#call('delete', options, [], (call) => deleteGroups(call, byGroupId(groupIds)))
  }

  /**
   * Removes a member from a group. One that still runs joins again.
   *
   * @example
   * await admin.groups.removeMember('billing', { groupInstanceId: 'billing-3' })
   */
  async removeMember(
    groupId: string,
    member: MemberReference,
    options: RemoveMembersOptions = {},
  ): Promise<Done> {
    const [result] = await this.removeMembers(groupId, [member], options)
    return answerOf<Done>(result)
  }

  /** Removes members from a group, `'all'` that it has now. */
  removeMembers(
    groupId: string,
    members: readonly MemberReference[] | 'all',
    options: RemoveMembersOptions = {},
  ): Promise<MemberResult[]> {
    return this.#call('removeMembers', options, ['reason'], async (call) => {
      nameOf('groupId', groupId)
      const some = members === 'all' ? await membersOf(call, groupId) : members
      return removeMembers(call, groupId, byKey('members', some, memberKey), options.reason)
    })
  }

  /**
   * The offsets that a group has committed, of all partitions or of some. Those without one are missing.
   *
   * @example
   * for (const { topic, partition, offset } of await admin.groups.offsets('billing')) {
   *   console.log(topic, partition, offset)
   * }
   */
  async offsets(
    groupId: string,
    options: GroupOffsetsOptions & { readonly partitions?: readonly TopicPartition[] } = {},
  ): Promise<readonly PartitionResult<GroupOffset>[]> {
    const { partitions, ...others } = options
    const question = { groupId, ...(partitions !== undefined && { partitions }) }
    return onlyAnswer(await this.offsetsOfMany([question], others)).offsets
  }

  /** The offsets that groups have committed. */
  offsetsOfMany(
    groups: readonly GroupOffsetsQuestion[],
    options: GroupOffsetsOptions = {},
  ): Promise<Map<string, ItemResult<GroupOffsets>>> {
    return this.#call('offsets', options, ['requireStable'], (call) => {
      const questions = byKey('groups', groups, ({ groupId }) => nameOf('groupId', groupId))
      for (const { partitions } of groups) byPartition('partitions', partitions ?? [])
      return readGroupOffsets(call, questions, options.requireStable ?? false)
    })
  }

  /** Sets offsets of a group that has no members. */
  alterOffsets(
    groupId: string,
    offsets: readonly NewGroupOffset[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult[]> {
    return this.#call('alterOffsets', options, [], async (call) => {
      const items = byPartition('offsets', offsets)
      for (const { offset } of offsets) checkOffset(offset)
      return partitionResults(
        items,
        await alterGroupOffsets(this.#world, call, nameOf('groupId', groupId), items),
      )
    })
  }

  /**
   * Has a group that has no members go on from somewhere else. With `validateOnly` it is only told where.
   *
   * @example
   * const yesterday = { timestamp: Date.parse('2026-11-20') }
   * await admin.groups.resetOffsets('billing', { to: yesterday, topics: ['orders'] })
   */
  resetOffsets(
    groupId: string,
    reset: OffsetReset,
    options: ChangeOptions = {},
  ): Promise<PartitionResult<ResetOffset>[]> {
    return this.#call('resetOffsets', options, ['validateOnly'], (call) => {
      optionsOf(reset, 'reset', ['to', 'topics', 'partitions'])
      nameOf('groupId', groupId)
      return resetOffsets(this.#world, call, groupId, reset, options.validateOnly ?? false)
    })
  }

  /** Deletes offsets of a group, of topics that its members are not subscribed to. */
  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult[]> {
    return this.#call('deleteOffsets', options, [], async (call) => {
      const items = byPartition('partitions', partitions)
      const deleted = await deleteGroupOffsets(call, nameOf('groupId', groupId), items)
      return partitionResults(items, deleted)
    })
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    known: readonly string[],
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `groups.${method}`, options, known, work)
  }
}

function byGroupId(groupIds: readonly string[]): Map<string, string> {
  return byKey('groupIds', groupIds, (groupId) => nameOf('groupId', groupId))
}

function checkOffset(offset: unknown): void {
  if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return
  throw new OptionError('offset', `(${shown(offset)}) must be a whole number from 0 up`)
}

function deleteGroups(
  call: AdminCall,
  groupIds: ReadonlyMap<string, string>,
): Promise<Map<string, ItemResult<Done>>> {
  return askEach<string, Done>(call, groupIds, {
    route: coordinatorRoute(call, 'group', (groupId) => groupId),
    effect: 'changes',
    name: (groupId) => `group ${groupId}`,
    async ask(broker, asked) {
      const { results } = await call.request(broker, deleteGroupsApi, {
        groupsNames: asked.map(({ item }) => item),
      })
      return new Map<string, Done | MillraceError>(
        results.map(({ groupId, errorCode }) => {
          if (errorCode === 0) return [groupId, { answerWasLost: false }]
          return [groupId, new KafkaError(errorCode, `group ${groupId}`)]
        }),
      )
    },
    afterLostAnswer: (_, { kafkaCode }) =>
      kafkaCode === kafkaError.GROUP_ID_NOT_FOUND ? { answerWasLost: true } : undefined,
  })
}
