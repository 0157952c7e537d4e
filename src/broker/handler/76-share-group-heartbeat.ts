import { shareGroupHeartbeatApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { refuseGroup } from './group-access.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { refuseShares } from './share-access.ts'

/** ShareGroupHeartbeat 1: joins, keeps and leaves a share group. */
export const shareGroupHeartbeat = defineHandler({
  api: shareGroupHeartbeatApi,
  versions: [1, 1],
  async handle(request, context) {
    const { broker, nodeId, header, clientId, peer } = context
    const { groupId } = request
    const requester = { version: header.version, clientId, clientHost: peer.clientHost }
    // A request without a group is wrong everywhere: the coordinator says how.
    const refusal =
      refuseShares(context) ??
      (groupId === '' ? undefined : refuseGroup(broker.cluster, nodeId, groupId))
    const answer = refusal ?? (await broker.groups.shareGroupHeartbeat(request, requester))
    if (!isRefusal(answer)) return answer
    return {
      throttleTimeMs: 0,
      ...refusalFields(answer),
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
    }
  },
})
