import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'

/** Which nodes hold which partition: partition by partition around the ring of nodes. */
export function placeReplicas(
  nodeIds: readonly number[],
  first: number,
  partitions: number,
  replicationFactor: number,
): number[][] {
  return Array.from({ length: partitions }, (_, partition) =>
    Array.from(
      { length: replicationFactor },
      (_, replica) => nodeIds[(first + partition + replica) % nodeIds.length] as number,
    ),
  )
}

/** What partitions, one after another, are assigned to. */
export interface Assignments {
  readonly firstPartition: number
  readonly replicas: readonly (readonly number[])[]
  /** How many replicas each must have. */
  readonly replicationFactor: number
}

/** What is wrong with an assignment that a client gives. */
export function refuseAssignments(
  { firstPartition, replicas, replicationFactor }: Assignments,
  nodeIds: readonly number[],
): Refusal | undefined {
  for (const [index, nodes] of replicas.entries()) {
    const problem = assignmentProblem(nodes, replicationFactor, nodeIds)
    if (problem !== undefined) {
      const partition = firstPartition + index
      return refuse('INVALID_REPLICA_ASSIGNMENT', `partition ${partition}: ${problem}`)
    }
  }
  return undefined
}

function assignmentProblem(
  replicas: readonly number[],
  factor: number,
  nodeIds: readonly number[],
): string | undefined {
  if (replicas.length === 0) return 'it has no replicas'
  if (replicas.length !== factor)
    return `it has ${replicas.length} replicas, the topic has ${factor}`
  if (new Set(replicas).size !== replicas.length)
    return `replicas [${replicas.join()}] repeat a node`
  const unknown = replicas.find((id) => !nodeIds.includes(id))
  if (unknown !== undefined) return `node ${unknown} is unknown; known are ${nodeIds.join()}`
  return undefined
}
