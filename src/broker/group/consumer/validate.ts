import type { consumerGroupHeartbeatApi, RequestOf } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { assignors } from '../assignor/assignor.ts'
import { joinEpoch, leaveEpoch, staticLeaveEpoch } from './consumer-member.ts'

export type ConsumerHeartbeat = RequestOf<typeof consumerGroupHeartbeatApi>

/** From this version on members make their ids themselves. */
const ownMemberIdVersion = 1

/** What is wrong with a heartbeat by itself, whatever the state of the group. */
export function problemWithHeartbeat(
  request: ConsumerHeartbeat,
  version: number,
  supportedAssignors: readonly string[],
): Refusal | undefined {
  const { memberId, memberEpoch, serverAssignor } = request
  const idIsNeeded =
    version >= ownMemberIdVersion || memberEpoch > joinEpoch || memberEpoch === leaveEpoch
  if (idIsNeeded && isBlank(memberId)) return invalid("MemberId can't be empty.")
  if (isBlank(request.groupId)) return invalid("GroupId can't be empty.")
  if (isBlank(request.instanceId)) return invalid("InstanceId can't be empty.")
  if (isBlank(request.rackId)) return invalid("RackId can't be empty.")
  if (memberEpoch < staticLeaveEpoch) return invalid('MemberEpoch is invalid.')
  if (memberEpoch === staticLeaveEpoch && request.instanceId === null) {
    return invalid("InstanceId can't be null.")
  }
  if (memberEpoch === joinEpoch) {
    const problem = problemWithJoin(request)
    if (problem !== undefined) return problem
  }
  const isSupported = (name: string) => supportedAssignors.includes(name) && assignors.has(name)
  if (serverAssignor !== null && !isSupported(serverAssignor)) {
    const supported = supportedAssignors.join(', ')
    return refuse(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`,
    )
  }
  return undefined
}

function problemWithJoin(request: ConsumerHeartbeat): Refusal | undefined {
  if (request.rebalanceTimeoutMs === -1) {
    return invalid('RebalanceTimeoutMs must be provided in first request.')
  }
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    return invalid('TopicPartitions must be empty when (re-)joining.')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    return invalid(
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  }
  return undefined
}

function isBlank(text: string | null): boolean {
  return text !== null && text.trim() === ''
}

function invalid(message: string): Refusal {
  return refuse('INVALID_REQUEST', message)
}
