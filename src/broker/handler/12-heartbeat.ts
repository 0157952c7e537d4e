import { heartbeatApi, kafkaError } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'

/** Heartbeat 0-4: keeps a member of a classic group alive, and tells it when to join again. */
export const heartbeat = defineHandler({
  api: heartbeatApi,
  versions: [0, 4],
  async handle(request, { broker, nodeId }) {
    const refusal = refuseNamedGroup(broker.cluster, nodeId, request.groupId)
    if (refusal !== undefined) return { errorCode: kafkaError[refusal.error] }
    return { errorCode: await broker.groups.heartbeat(request) }
  },
})
