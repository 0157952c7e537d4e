import { kafkaError, offsetFetchApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseOf } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refuseGroup } from './group-access.ts'
import { noTopicId } from './topic-id.ts'

type GroupRequest = RequestOf<typeof offsetFetchApi>['groups'][number]
type GroupResponse = ResponseOf<typeof offsetFetchApi>['groups'][number]

const versions = { groupError: 2, manyGroups: 8, topicIds: 10 } as const

/**
 * OffsetFetch 1-10: a group's committed offsets, of some topics or (2+) of all; from version 8 on of
 * several groups, from version 10 on with topics named by their ids. With `requireStable` (7+) an
 * offset that an open transaction may replace is an error.
 */
export const offsetFetch = defineHandler({
  api: offsetFetchApi,
  versions: [1, 10],
  async handle(request, context) {
    const { version } = context.header
    const { requireStable } = request
    if (version >= versions.manyGroups) {
      const fetched = request.groups.map((group) => fetchGroup(group, requireStable, context))
      return { groups: await Promise.all(fetched) }
    }
    const topics =
      request.topics?.map(({ name, partitionIndexes }) => ({
        name,
        topicId: noTopicId,
        partitionIndexes,
      })) ?? null
    const { groupId } = request
    const group = { groupId, topics, memberId: null, memberEpoch: -1 }
    const answer = await fetchGroup(group, requireStable, context)
    if (answer.errorCode !== kafkaError.NONE && version < versions.groupError) {
      return { topics: failedTopics(group, answer.errorCode) }
    }
    return { topics: answer.topics, errorCode: answer.errorCode }
  },
})

async function fetchGroup(
  group: GroupRequest,
  requireStable: boolean,
  { broker, nodeId, header }: RequestContext,
): Promise<GroupResponse> {
  const { cluster, groups } = broker
  const refusal = refuseGroup(cluster, nodeId, group.groupId)
  if (refusal !== undefined) return failed(group, refusal)
  const byId = header.version >= versions.topicIds
  const named = byId ? { ...group, topics: withNames(cluster, group.topics) } : group
  const fetched = await groups.fetchOffsets(named, requireStable)
  if (isRefusal(fetched)) return failed(group, fetched)
  if (!byId) return fetched
  const topics = withIds(cluster, fetched.topics)
  // Whoever asks for all topics cannot be told of one without an id: it is gone.
  const told =
    group.topics === null ? topics.filter(({ topicId }) => topicId !== noTopicId) : topics
  return { ...fetched, topics: told }
}

/** A topic id that nobody has keeps its empty name, and finds nothing. */
function withNames(cluster: Cluster, topics: GroupRequest['topics']): GroupRequest['topics'] {
  return (
    topics?.map((topic) => ({ ...topic, name: cluster.topicById(topic.topicId)?.name ?? '' })) ??
    null
  )
}

function withIds(cluster: Cluster, topics: GroupResponse['topics']): GroupResponse['topics'] {
  return topics.map((topic) => {
    const topicId = topic.topicId === noTopicId ? cluster.topic(topic.name)?.id : topic.topicId
    if (topicId !== undefined && cluster.topicById(topicId) !== undefined) {
      return { ...topic, topicId }
    }
    const partitions = topic.partitions.map((partition) => ({
      ...partition,
      errorCode: kafkaError.UNKNOWN_TOPIC_ID,
    }))
    return { ...topic, partitions }
  })
}

function failed({ groupId }: GroupRequest, refusal: Refusal): GroupResponse {
  return { groupId, topics: [], errorCode: kafkaError[refusal.error] }
}

/** Version 1 has no error of the whole: each partition carries it. */
function failedTopics({ topics }: GroupRequest, errorCode: number): GroupResponse['topics'] {
  return (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  }))
}
