import { kafkaError, listGroupsApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'

/** ListGroups 0-5: the groups that this node coordinates, by state (4) and type (5) if asked. */
export const listGroups = defineHandler({
  api: listGroupsApi,
  versions: [0, 5],
  handle(request, { broker, nodeId }) {
    const { statesFilter: states, typesFilter: types } = request
    const groups = broker.groups
      .listGroups({ states, types })
      .filter(({ groupId }) => refuseGroup(broker.cluster, nodeId, groupId) === undefined)
    return { errorCode: kafkaError.NONE, groups }
  },
})
