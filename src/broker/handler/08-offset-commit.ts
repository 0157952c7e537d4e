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
    const byId = header.version >= firstVersionWithTopicIds
    const refusal = refuseGroup(cluster, nodeId, request.groupId)
    if (refusal !== undefined) {
      return { topics: allFailed(request.topics, kafkaError[refusal.error]) }
    }
    const divided = divideTopics(cluster, request.topics, byId)
    const committed = await groups.commitOffsets(
      { ...request, topics: request.topics.map((topic, i) => ({ ...topic, ...divided.known[i] })) },
      header.version,
    )
    if (isRefusal(committed)) {
      return { topics: allFailed(request.topics, kafkaError[committed.error]) }
    }
    return { topics: divided.answer(committed.topics) }
  },
})
