import { describeProducersApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import type { Partition } from '../cluster/cluster.ts'
import { refuseTopicName } from '../cluster/topic-name.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'

type PartitionAnswer = ResponseInput<
  typeof describeProducersApi
>['topics'][number]['partitions'][number]

/**
 * DescribeProducers 0: the producers that a partition remembers, and where their open transactions
 * start. Any replica may be asked, as whoever looks for a hanging transaction wants to.
 */
export const describeProducers = defineHandler({
  api: describeProducersApi,
  versions: [0, 0],
  handle({ topics }, context) {
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((index) =>
          answer(index, refuseTopicName(name) ?? find(name, index, context)),
        ),
      })),
    }
  },
})

function find(
  topic: string,
  index: number,
  { broker, nodeId }: RequestContext,
): Partition | Refusal {
  const partition = broker.cluster.partition(topic, index)
  if (partition === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no partition ${topic}-${index}`)
  }
  if (partition.replicas.includes(nodeId)) return partition
  return refuse('NOT_LEADER_OR_FOLLOWER', `node ${nodeId} has no replica of ${topic}-${index}`)
}

function answer(partitionIndex: number, found: Partition | Refusal): PartitionAnswer {
  if (isRefusal(found)) {
    return {
      partitionIndex,
      errorCode: kafkaError[found.error],
      errorMessage: found.message,
      activeProducers: [],
    }
  }
  return {
    partitionIndex,
    errorCode: kafkaError.NONE,
    activeProducers: found.log.producers().map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.currentTxnStartOffset,
    })),
  }
}
