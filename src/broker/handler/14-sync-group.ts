import { kafkaError, syncGroupApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'

const firstVersionWithProtocol = 5

/**
 * SyncGroup 0-5: a member asks for its assignment; the leader brings those of all. From version 5 on
 * both must say which protocol they mean.
 */
export const syncGroup = defineHandler({
  api: syncGroupApi,
  versions: [0, 5],
  async handle(request, { broker, nodeId, header }) {
    const { protocolType, protocolName } = request
    const failed = (errorCode: number) => ({ errorCode, assignment: Buffer.alloc(0) })
    const saysProtocol = protocolType !== null && protocolName !== null
    if (header.version >= firstVersionWithProtocol && !saysProtocol) {
      return failed(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    }
    const refusal = refuseNamedGroup(broker.cluster, nodeId, request.groupId)
    if (refusal !== undefined) return failed(kafkaError[refusal.error])
    return broker.groups.syncGroup(request)
  },
})
