import { prepareRebalance, restartSession } from './classic/rebalance.ts'
import { awaitHeartbeat, awaitRevocation } from './consumer/sessions.ts'
import type { GroupPartition } from './group-partition.ts'
import type { Group } from './group-state.ts'
import { awaitShareHeartbeat } from './share/heartbeat.ts'

/** Begins to wait for the members of groups that were read from the log: all have a session left. */
export function resumeGroups(partition: GroupPartition): void {
  for (const group of partition.state.groups.values()) resume(partition, group)
}

function resume(partition: GroupPartition, group: Group): void {
  if (group.type === 'share') {
    for (const memberId of group.members.keys()) {
      awaitShareHeartbeat(partition, group.groupId, memberId)
    }
    return
  }
  if (group.type === 'consumer') {
    for (const member of group.members.values()) {
      awaitHeartbeat(partition, group.groupId, member)
      const mustRevoke = member.state === 'unrevoked' && member.classic === null
      if (mustRevoke) awaitRevocation(partition, group.groupId, member)
    }
    for (const { version } of group.patterns.values()) partition.topicsVersion.passBy(version)
    return
  }
  for (const member of group.members.values()) restartSession(partition, group, member)
  // The limit may have been lowered: the last to rejoin will not get in.
  const isTooLarge = group.members.size > partition.ports.config().membersMax
  if (isTooLarge || group.owesRebalance) prepareRebalance(partition, group)
}
