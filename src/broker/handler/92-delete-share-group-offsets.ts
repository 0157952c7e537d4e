import { deleteShareGroupOffsetsApi } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { refuseNamedGroup } from './group-access.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { refuseShares } from './share-access.ts'

type DeletedTopic = ResponseInput<typeof deleteShareGroupOffsetsApi>['responses'][number]

/** What stands for the id of a topic that there is not, or whose offsets there are not. */
const noTopicId = 'A'.repeat(22)

/** DeleteShareGroupOffsets 0: makes a share group without members forget topics. */
export const deleteShareGroupOffsets = defineHandler({
  api: deleteShareGroupOffsetsApi,
  versions: [0, 0],
  async handle({ groupId, topics }, context) {
    const { broker, nodeId } = context
    const { cluster, groups } = broker
    const refusal = refuseShares(context) ?? refuseNamedGroup(cluster, nodeId, groupId)
    const names = topics.map(({ topicName }) => topicName)
    const ids = new Set(names.flatMap((name) => cluster.topic(name)?.id ?? []))
    const known = refusal ?? (await groups.removeShareTopics(groupId, ids))
    if (isRefusal(known)) return { throttleTimeMs: 0, ...refusalFields(known), responses: [] }
    const responses = await Promise.all(
      names.map((name) => {
        const partitions = known.get(cluster.topic(name)?.id ?? '')
        return forgetTopic(groupId, name, partitions, context)
      }),
    )
    return { throttleTimeMs: 0, ...refusalFields(undefined), responses }
  },
})

async function forgetTopic(
  groupId: string,
  topicName: string,
  partitions: ReadonlySet<number> | undefined,
  { broker: { cluster, shares } }: RequestContext,
): Promise<DeletedTopic> {
  const topicId = cluster.topic(topicName)?.id ?? noTopicId
  if (partitions === undefined) {
    const nothing = refuse(
      'UNKNOWN_TOPIC_OR_PARTITION',
      topicId === noTopicId
        ? `there is no topic '${topicName}'`
        : 'There is no offset information to delete.',
    )
    return { topicName, topicId: noTopicId, ...refusalFields(nothing) }
  }
  const outcomes = await Promise.all(
    [...partitions].map((partition) => shares.forget({ groupId, topicId, partition })),
  )
  const failure: Refusal | undefined = outcomes.find((outcome) => outcome !== undefined)
  return { topicName, topicId, ...refusalFields(failure) }
}
