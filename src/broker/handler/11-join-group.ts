import { joinGroupApi, kafkaError } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'

const firstVersionWithoutProtocol = 7

/**
 * JoinGroup 0-9: joins a classic group. Answered when the members are known, which may take as long as the
 * longest rebalance timeout among them.
 */
export const joinGroup = defineHandler({
  api: joinGroupApi,
  versions: [0, 9],
  async handle(request, { broker, nodeId, header, clientId, peer, access }) {
    const { version } = header
    const refusal = refuseNamedGroup(broker.cluster, nodeId, request.groupId)
    if (refusal !== undefined) {
      return {
        errorCode: kafkaError[refusal.error],
        generationId: -1,
        protocolName: version < firstVersionWithoutProtocol ? '' : null,
        leader: '',
        memberId: request.memberId,
        members: [],
      }
    }
    const mayDescribe = (topic: string) => access.allows('describe', 'topic', topic)
    const requester = { version, clientId, clientHost: peer.clientHost, mayDescribe }
    const response = await broker.groups.joinGroup(request, requester)
    // Older versions cannot say that there is no protocol.
    if (version >= firstVersionWithoutProtocol || response.protocolName !== null) return response
    return { ...response, protocolName: '' }
  },
})
