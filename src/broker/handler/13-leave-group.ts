import { kafkaError, leaveGroupApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'

const firstVersionWithMany = 3

/**
 * LeaveGroup 0-5: takes members out of a group. Before version 3 it is the one who asks, and its error
 * is that of the response.
 */
export const leaveGroup = defineHandler({
  api: leaveGroupApi,
  versions: [0, 5],
  async handle(request, { broker, nodeId, header }) {
    const { groupId, memberId } = request
    const refusal = refuseNamedGroup(broker.cluster, nodeId, groupId)
    if (refusal !== undefined) return { errorCode: kafkaError[refusal.error] }
    const hasMany = header.version >= firstVersionWithMany
    const leaving = hasMany ? request.members : [{ memberId, groupInstanceId: null, reason: null }]
    const left = await broker.groups.leaveGroup(groupId, leaving)
    if (hasMany) return left
    const own = left.members?.[0]?.errorCode
    const errorCode = left.errorCode === kafkaError.NONE ? (own ?? kafkaError.NONE) : left.errorCode
    return { errorCode }
  },
})
