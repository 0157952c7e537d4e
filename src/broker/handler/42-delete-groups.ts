import { deleteGroupsApi, kafkaError } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'

/** DeleteGroups 0-2: deletes groups without members, and their offsets. */
export const deleteGroups = defineHandler({
  api: deleteGroupsApi,
  versions: [0, 2],
  async handle(request, { broker, nodeId }) {
    const remove = async (groupId: string) => {
      const refusal = refuseGroup(broker.cluster, nodeId, groupId)
      const errorCode =
        refusal === undefined ? await broker.groups.deleteGroup(groupId) : kafkaError[refusal.error]
      return { groupId, errorCode }
    }
    const names = new Set(request.groupsNames)
    return { throttleTimeMs: 0, results: await Promise.all([...names].map(remove)) }
  },
})
