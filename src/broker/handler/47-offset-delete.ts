import { kafkaError, offsetDeleteApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'

/** OffsetDelete 0: deletes committed offsets of topics that nobody in the group subscribes to. */
export const offsetDelete = defineHandler({
  api: offsetDeleteApi,
  versions: [0, 0],
  async handle(request, { broker, nodeId }) {
    const { cluster, groups } = broker
    const refusal = refuseNamedGroup(cluster, nodeId, request.groupId)
    if (refusal !== undefined)
      return { errorCode: kafkaError[refusal.error], topics: [], throttleTimeMs: 0 }
    const exists = (topic: string, index: number) => cluster.partition(topic, index) !== undefined
    const known = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.filter(({ partitionIndex }) => exists(name, partitionIndex)),
    }))
    const deleted = await groups.deleteOffsets({ ...request, topics: known })
    if (isRefusal(deleted))
      return { errorCode: kafkaError[deleted.error], topics: [], throttleTimeMs: 0 }
    const missing = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions
        .filter(({ partitionIndex }) => !exists(name, partitionIndex))
        .map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
        })),
    }))
    const topics = deleted.topics.map(({ name, partitions }, index) => ({
      name,
      partitions: [...partitions, ...(missing[index]?.partitions ?? [])],
    }))
    return { ...deleted, throttleTimeMs: 0, topics }
  },
})
