import { alterShareGroupOffsetsApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Topic } from '../cluster/cluster.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { refuseNamedGroup } from './group-access.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { prepareShares, refuseShares, sharePartitionKey } from './share-access.ts'

type Request = RequestOf<typeof alterShareGroupOffsetsApi>
type RequestedTopic = Request['topics'][number]
type AlteredTopic = ResponseInput<typeof alterShareGroupOffsetsApi>['responses'][number]

/** What stands for the id of a topic that there is not. */
const noTopicId = 'A'.repeat(22)

/** AlterShareGroupOffsets 0: makes a share group without members go on from other offsets. */
export const alterShareGroupOffsets = defineHandler({
  api: alterShareGroupOffsetsApi,
  versions: [0, 0],
  async handle(request, context) {
    const { broker, nodeId } = context
    const { groupId, topics } = request
    const refusal =
      refuseShares(context) ??
      refuseNamedGroup(broker.cluster, nodeId, groupId) ??
      (await prepareShares(context)) ??
      (await noteTopics(request, context))
    if (refusal !== undefined) {
      return { throttleTimeMs: 0, ...refusalFields(refusal), responses: [] }
    }
    const responses = await Promise.all(topics.map((topic) => alterTopic(groupId, topic, context)))
    return { throttleTimeMs: 0, ...refusalFields(undefined), responses }
  },
})

/** The group must know of state that it is to have, so that it goes with the group. */
async function noteTopics(
  { groupId, topics }: Request,
  { broker: { cluster, groups } }: RequestContext,
): Promise<Refusal | undefined> {
  const added = new Map<string, Set<number>>()
  for (const { topicName, partitions } of topics) {
    const topic = cluster.topic(topicName)
    if (topic === undefined) continue
    const existing = partitions.map(({ partitionIndex }) => partitionIndex).filter(isIn(topic))
    added.set(topic.id, new Set(existing))
  }
  const noted = await groups.addSharePartitions(groupId, added)
  return isRefusal(noted) ? noted : undefined
}

function isIn({ partitions }: Topic): (index: number) => boolean {
  return (index) => partitions[index] !== undefined
}

async function alterTopic(
  groupId: string,
  { topicName, partitions }: RequestedTopic,
  { broker: { cluster, shares } }: RequestContext,
): Promise<AlteredTopic> {
  const topic = cluster.topic(topicName)
  const outcomes = partitions.map(async ({ partitionIndex, startOffset }) => {
    const outcome =
      topic === undefined || !isIn(topic)(partitionIndex)
        ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no ${topicName}-${partitionIndex}`)
        : await shares.setStartOffset(
            sharePartitionKey(groupId, topic, partitionIndex),
            startOffset,
          )
    return { partitionIndex, ...refusalFields(outcome) }
  })
  return { topicName, topicId: topic?.id ?? noTopicId, partitions: await Promise.all(outcomes) }
}
