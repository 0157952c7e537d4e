import { kafkaError, offsetCommitApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { allFailed, divideTopics } from './committed-topics.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'

const firstVersionWithTopicIds = 10

/** OffsetCommit 2-10: stores a group's offsets; from version 10 on topics are named by their ids. */
export const offsetCommit = defineHandler({
  api: offsetCommitApi,
  versions: [2, 10],
  async handle(request, { broker, nodeId, header }) {
    const { cluster, groups } = broker
    const { version } = header
    const divided = divideTopics(cluster, request.topics, version >= firstVersionWithTopicIds)
    const { known } = divided
    if (!divided.any) return { topics: divided.answer([]) }
    const committed =
      refuseGroup(cluster, nodeId, request.groupId) ??
      (await groups.commitOffsets({ ...request, topics: known }, version))
    const stored = isRefusal(committed)
      ? allFailed(known, kafkaError[committed.error])
      : committed.topics
    return { topics: divided.answer(stored) }
  },
})
