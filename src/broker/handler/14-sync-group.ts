import { kafkaError, syncGroupApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'

/** SyncGroup 0-5: a member asks for its assignment; the leader brings those of all. */
export const syncGroup = defineHandler({
  api: syncGroupApi,
  versions: [0, 5],
  async handle(request, { broker, nodeId }) {
    const refusal = refuseGroup(broker.cluster, nodeId, request.groupId)
    if (refusal === undefined) return broker.groups.syncGroup(request)
    return { errorCode: kafkaError[refusal.error], assignment: Buffer.alloc(0) }
  },
})
