import { describeLogDirsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Partition, Topic } from '../cluster/cluster.ts'
import { defineHandler } from './handler.ts'

type TopicRequest = NonNullable<RequestOf<typeof describeLogDirsApi>['topics']>[number]
type TopicAnswer = ResponseInput<typeof describeLogDirsApi>['results'][number]['topics'][number]

/** What stands for a size that is not known. */
const unknownBytes = -1

/**
 * DescribeLogDirs 1-4: the data folder, or what stands for it in memory, with the partitions that
 * the node holds a replica of and their sizes. Every replica is as long as the one log they share.
 *
 * Not implemented: the size of the volume, which is -1: unknown.
 */
export const describeLogDirs = defineHandler({
  api: describeLogDirsApi,
  versions: [1, 4],
  handle({ topics }, { broker: { cluster, config }, nodeId }) {
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      results: [
        {
          errorCode: kafkaError.NONE,
          logDir: config.described(nodeId, 'log.dirs') ?? '',
          topics: [...cluster.topics()]
            .map((topic) => describeTopic(topic, wantedOf(topic, topics), nodeId))
            .filter(({ partitions }) => partitions.length > 0),
          totalBytes: unknownBytes,
          usableBytes: unknownBytes,
        },
      ],
    }
  },
})

/** Whether a partition of the topic is asked for; null stands for all topics. */
function wantedOf(
  topic: Topic,
  topics: readonly TopicRequest[] | null,
): (partition: Partition) => boolean {
  if (topics === null) return () => true
  const indexes = topics
    .filter((request) => request.topic === topic.name)
    .flatMap(({ partitions }) => partitions)
  const wanted = new Set(indexes)
  return ({ index }) => wanted.has(index)
}

function describeTopic(
  { name, partitions }: Topic,
  isWanted: (partition: Partition) => boolean,
  nodeId: number,
): TopicAnswer {
  return {
    name,
    partitions: partitions
      .filter((partition) => isWanted(partition) && partition.replicas.includes(nodeId))
      .map(({ index, log }) => ({
        partitionIndex: index,
        partitionSize: log.sizeBytes,
        offsetLag: 0,
        isFutureKey: false,
      })),
  }
}
