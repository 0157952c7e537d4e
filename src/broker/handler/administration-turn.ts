import type { Cluster } from '../cluster/cluster.ts'

const lastTurns = new WeakMap<Cluster, Promise<unknown>>()

/**
 * Runs `work` after the work of all earlier calls for this cluster. Whoever reads settings, changes
 * them and stores the outcome needs its turn: between the reading and the end of the storing another
 * request would start from the old settings, and undo the change when it stores its own.
 */
export function inAdministrationTurn<Result>(
  cluster: Cluster,
  work: () => Promise<Result>,
): Promise<Result> {
  const turn = (lastTurns.get(cluster) ?? Promise.resolve()).then(work)
  lastTurns.set(
    cluster,
    turn.catch(() => undefined),
  )
  return turn
}
