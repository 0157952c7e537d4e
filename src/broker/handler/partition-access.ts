import type { KafkaErrorName } from '../../protocol/index.ts'
import type { Cluster, Partition, Topic } from '../cluster/cluster.ts'
import type { Refusal } from '../refusal.ts'
import { isRefusal, refuse } from '../refusal.ts'

/** How a request names a topic: by name, or by id in versions that have no name. */
export interface TopicReference {
  readonly name: string
  readonly id: string
  readonly byId: boolean
}

/** The topic that a request means. */
export function findTopic(cluster: Cluster, reference: TopicReference): Topic | Refusal {
  const { name, id, byId } = reference
  const topic = byId ? cluster.topicById(id) : cluster.topic(name)
  if (topic !== undefined) return topic
  return byId
    ? refuse('UNKNOWN_TOPIC_ID', `there is no topic with id ${id}`)
    : refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`)
}

/**
 * The partition that a request means, when the node that was asked leads it. `leaderEpoch` is what
 * the client takes for the current one; -1 when it does not say.
 */
export function findLedPartition(
  cluster: Cluster,
  topic: TopicReference,
  index: number,
  nodeId: number,
  leaderEpoch = -1,
): Partition | Refusal {
  const found = findTopic(cluster, topic)
  if (isRefusal(found)) return found
  const partition = found.partitions[index]
  if (partition === undefined) {
    return refuse(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `topic '${found.name}' has no partition ${index}; it has ${found.partitions.length}`,
    )
  }
  const stale = staleEpoch(partition, leaderEpoch)
  if (stale !== undefined) {
    return refuse(stale, `the leader epoch is ${partition.leaderEpoch}, not ${leaderEpoch}`)
  }
  if (partition.leader !== nodeId) {
    return refuse('NOT_LEADER_OR_FOLLOWER', `node ${partition.leader} leads the partition`)
  }
  return partition
}

function staleEpoch(partition: Partition, leaderEpoch: number): KafkaErrorName | undefined {
  if (leaderEpoch === -1 || leaderEpoch === partition.leaderEpoch) return undefined
  return leaderEpoch < partition.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}
