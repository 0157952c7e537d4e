import type { GroupPartition } from '../group-partition.ts'
import type { TimerKind } from '../timers.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { fence } from './fence.ts'

/** The member must be heard of within its session timeout. */
export function awaitHeartbeat(
  partition: GroupPartition,
  groupId: string,
  member: Pick<ConsumerMember, 'memberId' | 'classic'>,
): void {
  const timeoutMs =
    member.classic?.sessionTimeoutMs ?? partition.ports.consumerTiming(groupId).sessionTimeoutMs
  fenceAfter(partition, groupId, 'session', member.memberId, timeoutMs)
}

/** The member must give up what it was asked to; in any later epoch it has. */
export function awaitRevocation(
  partition: GroupPartition,
  groupId: string,
  { memberId, rebalanceTimeoutMs, epoch }: ConsumerMember,
): void {
  fenceAfter(partition, groupId, 'rebalance', memberId, rebalanceTimeoutMs, epoch)
}

/** A member that uses the classic protocol was told to rejoin, and must. */
export function awaitRejoin(
  partition: GroupPartition,
  groupId: string,
  { memberId, rebalanceTimeoutMs }: ConsumerMember,
): void {
  if (partition.timers.has(groupId, 'join', memberId)) return
  fenceAfter(partition, groupId, 'join', memberId, rebalanceTimeoutMs)
}

/** A member that uses the classic protocol has joined, and must ask for its assignment. */
export function awaitSync(
  partition: GroupPartition,
  groupId: string,
  { memberId, rebalanceTimeoutMs }: ConsumerMember,
): void {
  fenceAfter(partition, groupId, 'sync', memberId, rebalanceTimeoutMs)
}

function fenceAfter(
  partition: GroupPartition,
  groupId: string,
  kind: TimerKind,
  memberId: string,
  timeoutMs: number,
  onlyInEpoch?: number,
): void {
  partition.schedule(groupId, kind, memberId, timeoutMs, () => {
    const unchanged = { answer: undefined }
    const group = partition.state.group(groupId)
    if (group?.type !== 'consumer') return unchanged
    const member = group.members.get(memberId)
    if (member === undefined) return unchanged
    if (onlyInEpoch !== undefined && member.epoch !== onlyInEpoch) return unchanged
    return { ...unchanged, ...fence(partition, group, new Set([memberId])) }
  })
}
