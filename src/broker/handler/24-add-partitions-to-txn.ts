import { addPartitionsToTxnApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { isInternalTopic } from '../cluster/topic-name.ts'
import { coordinatorRefusal, partitionSet } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'
import { transactionErrorCode } from './transaction-error.ts'

const fencedSince = 2

/**
 * AddPartitionsToTxn 0-3: all partitions, or none; those of the coordinators are nobody's. Versions 4 and 5 are what brokers ask one another
 * with; we are one process, and clients that are offered them have sent them by mistake.
 */
export const addPartitionsToTxn = defineHandler({
  api: addPartitionsToTxnApi,
  versions: [0, 3],
  async handle(request, { broker, nodeId, header }) {
    const { cluster, transactions } = broker
    const topics = request.v3AndBelowTopics
    const problemWith = (topic: string, partition: number) => {
      if (isInternalTopic(topic)) return kafkaError.TOPIC_AUTHORIZATION_FAILED
      const exists = cluster.partition(topic, partition) !== undefined
      return exists ? undefined : kafkaError.UNKNOWN_TOPIC_OR_PARTITION
    }
    const isWrong = (name: string, index: number) => problemWith(name, index) !== undefined
    if (topics.some(({ name, partitions }) => partitions.some((index) => isWrong(name, index)))) {
      return answer(
        request,
        (topic, partition) => problemWith(topic, partition) ?? kafkaError.OPERATION_NOT_ATTEMPTED,
      )
    }
    const transactionalId = request.v3AndBelowTransactionalId
    const refusal =
      coordinatorRefusal(cluster, nodeId, transactionalId) ??
      (await transactions.addPartitions({
        transactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        partitions: partitionSet(
          topics.flatMap(({ name: topic, partitions }) =>
            partitions.map((partition) => ({ topic, partition })),
          ),
        ),
        version: 0,
      }))
    const errorCode = transactionErrorCode(refusal, header.version, fencedSince)
    return answer(request, () => errorCode)
  },
})

function answer(
  { v3AndBelowTopics }: RequestOf<typeof addPartitionsToTxnApi>,
  errorCodeOf: (topic: string, partition: number) => number,
): ResponseInput<typeof addPartitionsToTxnApi> {
  return {
    throttleTimeMs: 0,
    resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: errorCodeOf(name, partitionIndex),
      })),
    })),
  }
}
