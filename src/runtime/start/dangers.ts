import { groupMemberDefaults, revocationMs } from '../../client/index.ts'
import type { ConsumerSettings } from '../assemble.ts'
import type { Findings } from './findings.ts'

/** Refuses a drain that would last until the group has given the partitions to somebody else. */
export function checkDrain(
  { groupId, drainMs, source }: ConsumerSettings,
  requestTimeoutMs: number,
  findings: Findings,
): void {
  const {
    rebalanceTimeoutMs = groupMemberDefaults.rebalanceTimeoutMs,
    heartbeatIntervalMs = groupMemberDefaults.heartbeatIntervalMs,
    groupProtocol = groupMemberDefaults.groupProtocol,
  } = source
  const noticeMs = groupProtocol === 'consumer' ? 0 : heartbeatIntervalMs
  const fittingMs = revocationMs(rebalanceTimeoutMs, noticeMs, requestTimeoutMs)
  if (drainMs <= fittingMs) return
  findings.refuse(
    `group ${groupId}: drainMs (${drainMs}) must not exceed ${fittingMs}, which is what ` +
      `group.rebalanceTimeoutMs (${rebalanceTimeoutMs}) leaves when the rebalance has been noticed and the last ` +
      'commit needs its time: lower drainMs, or raise group.rebalanceTimeoutMs',
  )
}

/** Warns of a topic that has one partition for all who read it. */
export function checkPartitionCount(
  topic: string,
  partitionCount: number,
  { groupId, order, concurrency }: ConsumerSettings,
  findings: Findings,
): void {
  if (partitionCount !== 1) return
  if (order === 'partition' && concurrency > 1) {
    findings.warn(
      `${topic} has one partition and group ${groupId} keeps order: 'partition': its records run one at a time, ` +
        `whatever concurrency (${concurrency}) says; use order: 'key', or more partitions`,
    )
    return
  }
  findings.warn(
    `${topic} has one partition for all: one member of group ${groupId} reads it and all others are idle; ` +
      'use more partitions, which later changes where keys go',
  )
}
