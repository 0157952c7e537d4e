import type { ClusterMetadata } from '../../../cluster/metadata.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { TopicIdPartitions } from './heartbeat-messages.ts'

/** What is between what a member holds and what the coordinator wants it to hold. */
export interface Difference {
  readonly gone: readonly TopicPartition[]
  readonly added: readonly TopicPartition[]
  /** Ids of added topics by name. */
  readonly ids: ReadonlyMap<string, string>
  /** Topics whose names are not known yet. */
  readonly unknownIds: readonly string[]
}

/**
 * Compares by topic id, not by name: a topic that was deleted and made again is another one, whose
 * partitions are taken only after those of the old one were given up.
 */
export function differenceOf(
  held: readonly TopicPartition[],
  heldIds: ReadonlyMap<string, string>,
  target: readonly TopicIdPartitions[],
  metadata: ClusterMetadata,
): Difference {
  const wanted = new Map(target.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
  const isWanted = ({ topic, partition }: TopicPartition): boolean =>
    wanted.get(heldIds.get(topic) ?? '')?.has(partition) === true
  const gone = held.filter((partition) => !isWanted(partition))
  const heldNames = new Map([...heldIds].map(([name, id]) => [id, name]))
  const ids = new Map<string, string>()
  const unknownIds: string[] = []
  const added: TopicPartition[] = []
  for (const { topicId, partitions } of target) {
    const topic = heldNames.get(topicId) ?? metadata.topicName(topicId)
    if (topic === undefined) {
      unknownIds.push(topicId)
      continue
    }
    const have = new Set(held.filter((one) => one.topic === topic).map((one) => one.partition))
    const isSameTopic = (heldIds.get(topic) ?? topicId) === topicId
    for (const partition of partitions) {
      if (isSameTopic && have.has(partition)) continue
      added.push({ topic, partition })
      ids.set(topic, topicId)
    }
  }
  return { gone, added, ids, unknownIds }
}
