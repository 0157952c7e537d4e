import { kafkaError, shareGroupDescribeApi } from '../../protocol/index.ts'
import { allOperations, operationsNotAsked } from '../authorization/access.ts'
import { undescribedGroup } from '../group/index.ts'
import { refuseGroup } from './group-access.ts'
import { defineHandler } from './handler.ts'
import { refuseShares } from './share-access.ts'

/** ShareGroupDescribe 1: share groups and their members. */
export const shareGroupDescribe = defineHandler({
  api: shareGroupDescribeApi,
  versions: [1, 1],
  async handle(request, context) {
    const { broker, nodeId } = context
    const authorizedOperations = request.includeAuthorizedOperations
      ? allOperations('group')
      : operationsNotAsked
    const describe = async (groupId: string) => {
      const refusal = refuseShares(context) ?? refuseGroup(broker.cluster, nodeId, groupId)
      if (refusal !== undefined) return undescribedGroup(groupId, refusal)
      const described = await broker.groups.describeShareGroup(groupId)
      const found = described.errorCode === kafkaError.NONE
      return found ? { ...described, authorizedOperations } : described
    }
    return { throttleTimeMs: 0, groups: await Promise.all(request.groupIds.map(describe)) }
  },
})
