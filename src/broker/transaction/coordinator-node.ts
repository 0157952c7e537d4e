import type { Cluster } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/** Whether a node must send a client on to another one that coordinates the transactional id. */
export function coordinatorRefusal(
  cluster: Pick<Cluster, 'coordinator'>,
  nodeId: number,
  transactionalId: string,
): Refusal | undefined {
  // An empty id belongs to nobody; the coordinator says what is wrong with it.
  if (transactionalId === '') return undefined
  const partition = cluster.coordinator('transaction', transactionalId)
  if (partition === undefined || partition.leader === -1) {
    return refuse(
      'COORDINATOR_NOT_AVAILABLE',
      `transactional id '${transactionalId}' has no coordinator at present`,
    )
  }
  if (partition.leader === nodeId) return undefined
  return refuse(
    'NOT_COORDINATOR',
    `node ${partition.leader} coordinates transactional id '${transactionalId}'`,
  )
}
