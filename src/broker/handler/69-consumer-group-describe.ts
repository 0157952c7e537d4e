import { consumerGroupDescribeApi, kafkaError } from '../../protocol/index.ts'
import { allOperations, operationsNotAsked } from '../authorization/access.ts'
import { undescribedGroup } from '../group/index.ts'
import { defineHandler } from './handler.ts'
import { refuseConsumerProtocol, refuseGroup } from './group-access.ts'

/** ConsumerGroupDescribe 0-1: groups of the next-generation protocol and their members. */
export const consumerGroupDescribe = defineHandler({
  api: consumerGroupDescribeApi,
  versions: [0, 1],
  async handle(request, { broker, nodeId }) {
    const authorizedOperations = request.includeAuthorizedOperations
      ? allOperations('group')
      : operationsNotAsked
    const describe = async (groupId: string) => {
      const refusal =
        refuseConsumerProtocol(broker.config) ?? refuseGroup(broker.cluster, nodeId, groupId)
      if (refusal !== undefined) return undescribedGroup(groupId, refusal)
      const described = await broker.groups.describeConsumerGroup(groupId)
      const found = described.errorCode === kafkaError.NONE
      return found ? { ...described, authorizedOperations } : described
    }
    return { throttleTimeMs: 0, groups: await Promise.all(request.groupIds.map(describe)) }
  },
})
