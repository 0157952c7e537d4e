import { consumerGroupHeartbeatApi, kafkaError } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refuseConsumerProtocol, refuseGroup } from './group-access.ts'

/** ConsumerGroupHeartbeat 0-1: joins, keeps and leaves a group of the next-generation protocol. */
export const consumerGroupHeartbeat = defineHandler({
  api: consumerGroupHeartbeatApi,
  versions: [0, 1],
  async handle(request, { broker, nodeId, header, clientId, peer, access }) {
    const requester = {
      version: header.version,
      clientId,
      clientHost: peer.clientHost,
      mayDescribe: (topic: string) => access.allows('describe', 'topic', topic),
    }
    const { groupId } = request
    // A request without a group is wrong everywhere: the coordinator says how.
    const refusal =
      refuseConsumerProtocol(broker.config) ??
      (groupId === '' ? undefined : refuseGroup(broker.cluster, nodeId, groupId))
    const answer = refusal ?? (await broker.groups.consumerGroupHeartbeat(request, requester))
    if (!isRefusal(answer)) return answer
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError[answer.error],
      errorMessage: answer.message,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
    }
  },
})
