import { deleteRecordsApi, kafkaError } from '../../protocol/index.ts'
import { isInternalTopic } from '../cluster/topic-name.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { findLedPartition } from './partition-access.ts'

const noLowWatermark = -1

/**
 * DeleteRecords 0-2: moves the start of partitions up, to an offset or (-1) to the high watermark.
 * Answers when the new start is durable, which also is the answer: all replicas share one log.
 */
export const deleteRecords = defineHandler({
  api: deleteRecordsApi,
  versions: [0, 2],
  async handle({ topics }, context) {
    const answers = topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, offset }) => {
          const result = await deleteBefore(name, partitionIndex, offset, context)
          return typeof result === 'number'
            ? { partitionIndex, lowWatermark: result, errorCode: kafkaError.NONE }
            : {
                partitionIndex,
                lowWatermark: noLowWatermark,
                errorCode: kafkaError[result.error],
              }
        }),
      ),
    }))
    return { throttleTimeMs: 0, topics: await Promise.all(answers) }
  },
})

async function deleteBefore(
  topic: string,
  index: number,
  offset: number,
  { broker, nodeId }: RequestContext,
): Promise<number | Refusal> {
  const reference = { name: topic, id: '', byId: false }
  const found = findLedPartition(broker.cluster, reference, index, nodeId)
  if (
    isInternalTopic(topic) &&
    !(isRefusal(found) && found.error === 'UNKNOWN_TOPIC_OR_PARTITION')
  ) {
    return refuse('INVALID_TOPIC_EXCEPTION', `records of ${topic} belong to a coordinator`)
  }
  return isRefusal(found) ? found : found.log.deleteRecordsBefore(offset)
}
