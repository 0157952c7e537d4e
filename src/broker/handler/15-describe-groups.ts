import { describeGroupsApi, kafkaError } from '../../protocol/index.ts'
import { allOperations, operationsNotAsked } from '../authorization/access.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'

const firstVersionWithMessages = 6

/**
 * DescribeGroups 0-6: classic groups and their members. A group that does not exist is dead, and from
 * version 6 on an error.
 */
export const describeGroups = defineHandler({
  api: describeGroupsApi,
  versions: [0, 6],
  async handle(request, { broker, nodeId, header }) {
    const authorizedOperations = request.includeAuthorizedOperations
      ? allOperations('group')
      : operationsNotAsked
    const describe = async (groupId: string) => {
      const described =
        refuseGroup(broker.cluster, nodeId, groupId) ??
        (await broker.groups.describeGroup(groupId, header.version))
      if (!isRefusal(described)) {
        const found = described.errorCode === kafkaError.NONE
        return found ? { ...described, authorizedOperations } : described
      }
      return {
        errorCode: kafkaError[described.error],
        errorMessage: header.version < firstVersionWithMessages ? null : described.message,
        groupId,
        groupState: '',
        protocolType: '',
        protocolData: '',
        members: [],
      }
    }
    return { groups: await Promise.all(request.groups.map(describe)) }
  },
})
