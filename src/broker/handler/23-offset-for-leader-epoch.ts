import { kafkaError, offsetForLeaderEpochApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { findLedPartition } from './partition-access.ts'

/**
 * OffsetForLeaderEpoch 2-4: where the epoch ended that a client last read in, so that it notices
 * when its log is not the one it knows. An epoch from the future has no end: -1.
 */
export const offsetForLeaderEpoch = defineHandler({
  api: offsetForLeaderEpochApi,
  versions: [2, 4],
  handle(request, { broker, nodeId }) {
    const topics = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = findLedPartition(
          broker.cluster,
          { name: topic, id: '', byId: false },
          index,
          nodeId,
          currentLeaderEpoch,
        )
        if (isRefusal(partition)) {
          const errorCode = kafkaError[partition.error]
          return { errorCode, partition: index, leaderEpoch: -1, endOffset: -1 }
        }
        const end =
          leaderEpoch > partition.leaderEpoch
            ? { epoch: -1, endOffset: -1 }
            : partition.log.endOffsetForEpoch(leaderEpoch)
        return {
          errorCode: kafkaError.NONE,
          partition: index,
          leaderEpoch: end.epoch,
          endOffset: end.endOffset,
        }
      }),
    }))
    return { topics }
  },
})
