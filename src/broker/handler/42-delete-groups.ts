import { deleteGroupsApi, kafkaError } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import type { Broker } from './handler.ts'
import { refuseGroup } from './group-access.ts'

/**
 * DeleteGroups 0-2: deletes groups without members, their offsets, and what share groups know of
 * partitions. That goes first: a group of the same name must not find it.
 */
export const deleteGroups = defineHandler({
  api: deleteGroupsApi,
  versions: [0, 2],
  async handle(request, { broker, nodeId }) {
    const remove = async (groupId: string) => {
      const refusal = refuseGroup(broker.cluster, nodeId, groupId)
      const errorCode =
        refusal === undefined ? await deleteOne(groupId, broker) : kafkaError[refusal.error]
      return { groupId, errorCode }
    }
    const names = new Set(request.groupsNames)
    return { throttleTimeMs: 0, results: await Promise.all([...names].map(remove)) }
  },
})

async function deleteOne(groupId: string, { groups, shares }: Broker): Promise<number> {
  if (groups.isIdleShareGroup(groupId)) {
    const refusal = await shares.forgetGroup(groupId)
    if (refusal !== undefined) return kafkaError[refusal.error]
  }
  return groups.deleteGroup(groupId)
}
