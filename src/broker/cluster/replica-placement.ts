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

/** What is wrong with an assignment that a client gives. */
export function refuseAssignments(
  assignments: readonly (readonly number[])[],
  nodeIds: readonly number[],
): Refusal | undefined {
  const factor = assignments[0]?.length ?? 0
  for (const [partition, replicas] of assignments.entries()) {
    const problem = assignmentProblem(replicas, factor, nodeIds)
    if (problem !== undefined) {
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
    return `it has ${replicas.length} replicas, the first has ${factor}`
  if (new Set(replicas).size !== replicas.length)
    return `replicas [${replicas.join()}] repeat a node`
  const unknown = replicas.find((id) => !nodeIds.includes(id))
  if (unknown !== undefined) return `node ${unknown} is unknown; known are ${nodeIds.join()}`
  return undefined
}
