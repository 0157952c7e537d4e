import { kafkaError } from '../../protocol/index.ts'
import type { CoordinatorLog } from '../coordinator-log.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { joinError } from './classic/classic-group.ts'
import type { JoinResponse, SyncResponse } from './classic/classic-group.ts'
import { noAssignment } from './classic/classic-member.ts'
import type { HeartbeatRequest } from './classic/heartbeat.ts'
import type { JoinRequest } from './classic/join.ts'
import type { LeaveRequest, LeaveResponse } from './classic/leave.ts'
import type { SyncRequest } from './classic/sync.ts'
import { heartbeatOfConsumerGroup } from './consumer/heartbeat.ts'
import type { HeartbeatResponse } from './consumer/heartbeat.ts'
import { problemWithHeartbeat } from './consumer/validate.ts'
import type { ConsumerHeartbeat } from './consumer/validate.ts'
import { Deferred } from './deferred.ts'
import { describeClassicGroup, describeConsumerGroup, listedGroups } from './describe.ts'
import type {
  DescribedConsumerGroup,
  DescribedGroup,
  GroupFilter,
  ListedGroup,
} from './describe.ts'
import { GroupPartition } from './group-partition.ts'
import { commitOffsets, commitOffsetsInTransaction } from './offset/commit.ts'
import type {
  CommitRequest,
  CommitResponse,
  TransactionalCommitRequest,
  TransactionalCommitResponse,
} from './offset/commit.ts'
import { fetchOffsets } from './offset/fetch.ts'
import type { FetchRequest, FetchResponse } from './offset/fetch.ts'
import { deleteGroup, deleteOffsets, expireOffsets, forgetTopic } from './offset/remove.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from './offset/remove.ts'
import type { GroupPorts, Requester } from './ports.ts'
import { resumeGroups } from './resume.ts'
import { routeHeartbeat, routeJoin, routeLeave, routeSync } from './route.ts'
import { describeShareGroup } from './share/describe.ts'
import type { DescribedShareGroup } from './share/describe.ts'
import { heartbeatOfShareGroup, problemWithShareHeartbeat } from './share/heartbeat.ts'
import type { ShareHeartbeat, ShareHeartbeatResponse } from './share/heartbeat.ts'
import {
  addSharePartitions,
  forgetSharedTopic,
  partitionsOfShareGroup,
  removeShareTopics,
} from './share/partitions.ts'
import type { TopicPartitions } from './topic-partitions.ts'
import { TopicsVersion } from './topics-version.ts'
import { undescribedGroup } from './undescribed-group.ts'

/**
 * The groups of an embedded cluster. Each belongs to a partition of `__consumer_offsets`, and is
 * served while that partition is loaded: from `load`, when a node has become its leader, until
 * `unload`, when it no longer is. Which node may answer for a group is for the caller to know.
 *
 * Requests are answered in the form of the protocol, with what their version may not carry left to
 * the handlers. Nothing is answered before it is durable.
 */
export class GroupCoordinator {
  readonly #ports: GroupPorts
  readonly #partitions = new Map<number, GroupPartition>()
  /** What was unloaded while appends were under way, until they are durable or have failed. */
  readonly #unsettled = new Map<number, Promise<void>>()
  /** The logs that are read when that is so. */
  readonly #waiting = new Map<number, CoordinatorLog>()
  readonly #topicsVersion = new TopicsVersion()

  constructor(ports: GroupPorts) {
    this.#ports = ports
  }

  /**
   * Reads what is in a partition, and serves its groups from then on. When the partition has only
   * just moved, what was appended before must be durable first: the log shows it, but nobody may
   * see it yet. Rejects when the log cannot be read; the partition is not served then.
   */
  async load(partition: number, log: CoordinatorLog): Promise<void> {
    this.unload(partition)
    const unsettled = this.#unsettled.get(partition)
    if (unsettled !== undefined) {
      this.#waiting.set(partition, log)
      await unsettled
      if (this.#waiting.get(partition) !== log) return
      this.#waiting.delete(partition)
    }
    const loaded = new GroupPartition(log, this.#ports, this.#topicsVersion)
    this.#partitions.set(partition, loaded)
    resumeGroups(loaded)
  }

  /** Stops serving a partition; whoever waits is told to look for the new coordinator. */
  unload(partition: number): void {
    this.#waiting.delete(partition)
    const loaded = this.#partitions.get(partition)
    if (loaded === undefined) return
    loaded.close()
    this.#partitions.delete(partition)
    const { unsettled } = loaded
    if (unsettled === undefined) return
    this.#unsettled.set(partition, unsettled)
    void unsettled.then(() => {
      if (this.#unsettled.get(partition) === unsettled) this.#unsettled.delete(partition)
    })
  }

  async joinGroup(request: JoinRequest, requester: Requester): Promise<JoinResponse> {
    const { groupId, memberId, sessionTimeoutMs } = request
    if (groupId === '') return joinError(kafkaError.INVALID_GROUP_ID, memberId)
    const { sessionTimeoutMsMin, sessionTimeoutMsMax } = this.#ports.config()
    if (sessionTimeoutMs < sessionTimeoutMsMin || sessionTimeoutMs > sessionTimeoutMsMax) {
      return joinError(kafkaError.INVALID_SESSION_TIMEOUT, memberId)
    }
    const partition = this.#partitionOf(groupId)
    if (isRefusal(partition)) return joinError(kafkaError[partition.error], memberId)
    const later = new Deferred<JoinResponse>()
    const now = await partition.change(groupId, () =>
      routeJoin(partition, request, requester, later.resolve),
    )
    if (isRefusal(now)) return joinError(kafkaError[now.error], memberId)
    return now ?? later.promise
  }

  async syncGroup(request: SyncRequest): Promise<SyncResponse> {
    const { groupId } = request
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return failedSync(partition)
    const later = new Deferred<SyncResponse>()
    const now = await partition.change(groupId, () => routeSync(partition, request, later.resolve))
    if (isRefusal(now)) return failedSync(now)
    return now ?? later.promise
  }

  /** Answers an error code. */
  async heartbeat(request: HeartbeatRequest): Promise<number> {
    const { groupId } = request
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) {
      // While the group is being read nobody can say more than that it will go on.
      const isLoading = partition.error === 'COORDINATOR_LOAD_IN_PROGRESS'
      return isLoading ? kafkaError.NONE : kafkaError[partition.error]
    }
    const code = await partition.change(groupId, () => routeHeartbeat(partition, request))
    return typeof code === 'number' ? code : kafkaError[code.error]
  }

  async leaveGroup(groupId: string, leaving: LeaveRequest['members']): Promise<LeaveResponse> {
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return { errorCode: kafkaError[partition.error] }
    const left = await partition.change(groupId, () => routeLeave(partition, groupId, leaving))
    return isRefusal(left) ? { errorCode: kafkaError[left.error] } : left
  }

  async consumerGroupHeartbeat(
    request: ConsumerHeartbeat,
    requester: Requester,
  ): Promise<HeartbeatResponse | Refusal> {
    const { consumerAssignors } = this.#ports.config()
    const problem = problemWithHeartbeat(request, requester.version, consumerAssignors)
    if (problem !== undefined) return problem
    const partition = this.#partitionOf(request.groupId)
    if (isRefusal(partition)) return partition
    return partition.change(request.groupId, () =>
      heartbeatOfConsumerGroup(partition, request, requester),
    )
  }

  async shareGroupHeartbeat(
    request: ShareHeartbeat,
    requester: Requester,
  ): Promise<ShareHeartbeatResponse | Refusal> {
    const problem = problemWithShareHeartbeat(request)
    if (problem !== undefined) return problem
    const partition = this.#partitionOf(request.groupId)
    if (isRefusal(partition)) return partition
    return partition.change(request.groupId, () =>
      heartbeatOfShareGroup(partition, request, requester),
    )
  }

  async describeShareGroup(groupId: string): Promise<DescribedShareGroup> {
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return undescribedGroup(groupId, partition)
    const described = await partition.change(groupId, () => ({
      answer: describeShareGroup(partition, groupId),
    }))
    return isRefusal(described) ? undescribedGroup(groupId, described) : described
  }

  /** The partitions of which a share group has state. */
  sharePartitions(groupId: string): TopicPartitions | Refusal {
    const partition = this.#partitionOfNamed(groupId)
    return isRefusal(partition) ? partition : partitionsOfShareGroup(partition, groupId)
  }

  /** Whether there is a share group of this name, and nobody is a member. */
  isIdleShareGroup(groupId: string): boolean {
    const partition = this.#partitionOf(groupId)
    const group = isRefusal(partition) ? undefined : partition.state.group(groupId)
    return group?.type === 'share' && group.isEmpty
  }

  /** Notes that a share group without members will have state of these partitions as well. */
  async addSharePartitions(
    groupId: string,
    added: TopicPartitions,
  ): Promise<TopicPartitions | Refusal> {
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return partition
    return partition.change(groupId, () => addSharePartitions(partition, groupId, added))
  }

  /** Notes that a share group without members has no state of these topics any more. */
  async removeShareTopics(
    groupId: string,
    topicIds: ReadonlySet<string>,
  ): Promise<TopicPartitions | Refusal> {
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return partition
    return partition.change(groupId, () => removeShareTopics(partition, groupId, topicIds))
  }

  /** Stores offsets of topics that exist; the caller has checked that. */
  async commitOffsets(request: CommitRequest, version: number): Promise<CommitResponse | Refusal> {
    const partition = this.#partitionOf(request.groupId)
    if (isRefusal(partition)) return partition
    return partition.commit(request.groupId, () => commitOffsets(partition, request, version))
  }

  /**
   * Stores offsets that count when `transactionEnded` says that their transaction committed.
   * `admit` is asked whether the transaction is open when it is their turn, right before they are
   * written: after its marker they would stay pending until the producer's next one.
   */
  async commitTransactionalOffsets(
    request: TransactionalCommitRequest,
    version: number,
    admit: () => Refusal | undefined = () => undefined,
  ): Promise<TransactionalCommitResponse | Refusal> {
    const { groupId, producerId, producerEpoch } = request
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return partition
    return partition.commit(
      groupId,
      () => commitOffsetsInTransaction(partition, request, version, admit),
      { producerId, producerEpoch },
    )
  }

  /**
   * Reads committed offsets. With `requireStable` an offset that an open transaction is about to
   * replace is an error, also when that transaction's commit is only just being written.
   */
  async fetchOffsets(
    request: FetchRequest,
    requireStable: boolean,
  ): Promise<FetchResponse | Refusal> {
    const partition = this.#partitionOf(request.groupId)
    if (isRefusal(partition)) return partition
    if (!requireStable) return fetchOffsets(partition.state, request, false)
    return partition.change(request.groupId, () => ({
      answer: fetchOffsets(partition.state, request, true),
    }))
  }

  async deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteResponse | Refusal> {
    const partition = this.#partitionOfNamed(request.groupId)
    if (isRefusal(partition)) return partition
    return partition.change(request.groupId, () => deleteOffsets(partition, request))
  }

  async describeGroup(groupId: string, version: number): Promise<DescribedGroup | Refusal> {
    const partition = this.#partitionOf(groupId)
    if (isRefusal(partition)) return partition
    return partition.change(groupId, () => ({
      answer: describeClassicGroup(groupId, partition.state.group(groupId), version),
    }))
  }

  async describeConsumerGroup(groupId: string): Promise<DescribedConsumerGroup> {
    const partition = this.#partitionOfNamed(groupId)
    if (isRefusal(partition)) return undescribedGroup(groupId, partition)
    const described = await partition.change(groupId, () => ({
      answer: describeConsumerGroup(partition, groupId),
    }))
    return isRefusal(described) ? undescribedGroup(groupId, described) : described
  }

  /** The groups of all partitions that are loaded. */
  listGroups(filter: GroupFilter): ListedGroup[] {
    return [...this.#partitions.values()].flatMap(({ state }) =>
      listedGroups(state.groups.values(), filter),
    )
  }

  /** Answers an error code. */
  async deleteGroup(groupId: string): Promise<number> {
    const partition = this.#partitionOf(groupId)
    if (isRefusal(partition)) return kafkaError[partition.error]
    const code = await partition.change(groupId, () => deleteGroup(partition, groupId))
    return typeof code === 'number' ? code : kafkaError[code.error]
  }

  /** To be called when the marker of a transaction is in the log of a partition. */
  async transactionEnded(partition: number, producerId: number, committed: boolean): Promise<void> {
    await this.#partitions.get(partition)?.endTransaction(producerId, committed)
  }

  /** Topics were made, or got more partitions: groups look at them with their next heartbeat. */
  topicsChanged(): void {
    this.#topicsVersion.advance()
  }

  /** A topic is gone, and with it what was committed for it. */
  async topicDeleted(name: string): Promise<void> {
    this.#topicsVersion.advance()
    await this.#forEachGroup((partition, groupId) =>
      partition.change(groupId, () => forgetTopic(partition, groupId, name)),
    )
    await this.#forEachGroup((partition, groupId) =>
      partition.change(groupId, () => forgetSharedTopic(partition, groupId)),
    )
  }

  /** Deletes what the retention time has passed of; to be called now and then. */
  async expireOffsets(nowMs: number = this.#ports.clock.now()): Promise<void> {
    await this.#forEachGroup((partition, groupId) =>
      partition.change(groupId, () => expireOffsets(partition, groupId, nowMs)),
    )
  }

  /** Ends a member's session now, for tests. Answers whether it had one. */
  async expireMember(groupId: string, memberId: string): Promise<boolean> {
    const partition = this.#partitionOf(groupId)
    if (isRefusal(partition)) return false
    const fired = partition.timers.fire(groupId, 'session', memberId)
    // What the timer does waits for its turn; ours comes after it.
    await partition.change(groupId, () => ({ answer: undefined }))
    return fired
  }

  async #forEachGroup(
    act: (partition: GroupPartition, groupId: string) => Promise<unknown>,
  ): Promise<void> {
    const acts: Promise<unknown>[] = []
    for (const partition of this.#partitions.values()) {
      for (const groupId of partition.groupIds()) acts.push(act(partition, groupId))
    }
    await Promise.all(acts)
  }

  #partitionOfNamed(groupId: string): GroupPartition | Refusal {
    if (groupId === '') return refuse('INVALID_GROUP_ID', 'the group has no name')
    return this.#partitionOf(groupId)
  }

  #partitionOf(groupId: string): GroupPartition | Refusal {
    const index = this.#ports.partitionFor(groupId)
    if (index === undefined) {
      return refuse('COORDINATOR_NOT_AVAILABLE', '__consumer_offsets does not exist yet')
    }
    return (
      this.#partitions.get(index) ??
      refuse('COORDINATOR_LOAD_IN_PROGRESS', `partition ${index} has not been read yet`)
    )
  }
}

function failedSync(refusal: Refusal): SyncResponse {
  return { errorCode: kafkaError[refusal.error], assignment: noAssignment }
}
