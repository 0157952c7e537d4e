import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerConfig } from '../config/index.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/** As `refuseGroup`, for requests that make no sense without the name of a group. */
export function refuseNamedGroup(
  cluster: Pick<Cluster, 'coordinator'>,
  nodeId: number,
  groupId: string,
): Refusal | undefined {
  if (groupId === '') return refuse('INVALID_GROUP_ID', 'the group has no name')
  return refuseGroup(cluster, nodeId, groupId)
}

/** Whether a node must send a client on to another one that coordinates the group. */
export function refuseGroup(
  cluster: Pick<Cluster, 'coordinator'>,
  nodeId: number,
  groupId: string,
): Refusal | undefined {
  const partition = cluster.coordinator('group', groupId)
  if (partition === undefined || partition.leader === -1) {
    return refuse('COORDINATOR_NOT_AVAILABLE', `group '${groupId}' has no coordinator at present`)
  }
  if (partition.leader === nodeId) return undefined
  return refuse('NOT_COORDINATOR', `node ${partition.leader} coordinates group '${groupId}'`)
}

/** Why groups of the next-generation protocol cannot be had. */
export function refuseConsumerProtocol({
  groupCoordinatorRebalanceProtocols: protocols,
}: Pick<BrokerConfig, 'groupCoordinatorRebalanceProtocols'>): Refusal | undefined {
  if (protocols.includes('consumer')) return undefined
  const problem = `group.coordinator.rebalance.protocols (${protocols.join()}) has no consumer`
  return refuse('UNSUPPORTED_VERSION', problem)
}
