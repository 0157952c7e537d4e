import type { Cluster } from './cluster/cluster.ts'
import { offsetsTopic } from './cluster/topic-name.ts'
import type { GroupCoordinator } from './group/index.ts'
import { isRefusal, refuse } from './refusal.ts'
import type { Refusal } from './refusal.ts'
import type { TransactionMarker } from './transaction/index.ts'

/**
 * Writes the marker of a transaction to a partition, and tells the group coordinator when the
 * partition is one of its own: from then on the offsets of the transaction count, or are gone.
 */
export async function writeMarker(
  cluster: Cluster,
  groups: GroupCoordinator,
  topic: string,
  index: number,
  marker: TransactionMarker,
): Promise<Refusal | undefined> {
  const partition = cluster.partition(topic, index)
  if (partition === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${index} does not exist`)
  }
  const { log, leaderEpoch } = partition
  const appended = log.appendMarker({ ...marker, leaderEpoch })
  if (isRefusal(appended)) return appended
  if (appended.durable !== undefined) await appended.durable
  if (topic === offsetsTopic) {
    await groups.transactionEnded(index, marker.producerId, marker.commit)
  }
  return undefined
}
