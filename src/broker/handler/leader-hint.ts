import type { Cluster, Partition } from '../cluster/cluster.ts'

/** Who leads a partition now: spares a client that asked the wrong node a round of metadata (KIP-951). */
export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export function leaderHint(partition: Partition | undefined): LeaderHint | undefined {
  if (partition === undefined || partition.leader === -1) return undefined
  return { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch }
}

/** The addresses of the nodes that hints name. */
export function hintedNodes(
  cluster: Cluster,
  hints: readonly (LeaderHint | undefined)[],
): NodeEndpoint[] {
  const ids = new Set(hints.map((hint) => hint?.leaderId))
  return cluster.nodes
    .filter(({ id }) => ids.has(id))
    .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }))
}
