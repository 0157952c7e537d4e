import { kafkaError, shareAcknowledgeApi } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { sessionEpoch } from '../share/index.ts'
import { defineHandler } from './handler.ts'
import { hintedNodes } from './leader-hint.ts'
import { refusalFields } from './refusal-fields.ts'
import { byTopicId, refuseShares, sharedLeaderHint } from './share-access.ts'
import { acknowledgePartitions } from './share-acknowledge.ts'

/** ShareAcknowledge 1: what a member of a share group says of records that it has acquired. */
export const shareAcknowledge = defineHandler({
  api: shareAcknowledgeApi,
  versions: [1, 1],
  async handle(request, context) {
    const { broker, nodeId } = context
    const { groupId, memberId, shareSessionEpoch: epoch } = request
    if (groupId === null || memberId === null) return refused(nameless)
    const session =
      refuseShares(context) ??
      (epoch === sessionEpoch.first
        ? refuse('INVALID_SHARE_SESSION_EPOCH', 'a share session begins with ShareFetch')
        : broker.shareSessions.proceed(nodeId, groupId, memberId, epoch))
    if (isRefusal(session)) return refused(session)
    const partitions = request.topics.flatMap(({ topicId, partitions: named }) =>
      named.map(({ partitionIndex, acknowledgementBatches: batches }) => ({
        target: { topicId, partition: partitionIndex },
        batches,
      })),
    )
    const outcomes = await acknowledgePartitions(groupId, memberId, partitions, context)
    if (epoch === sessionEpoch.final && broker.shareSessions.endOne(nodeId, session)) {
      await broker.shares.releaseMember(groupId, memberId, session.targets())
    }
    const answers = outcomes.map(({ target, refusal }) => {
      const currentLeader = sharedLeaderHint(target, refusal, context)
      const fields = refusalFields(refusal)
      return [target, { partitionIndex: target.partition, ...fields, currentLeader }] as const
    })
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      errorMessage: null,
      responses: byTopicId(answers),
      nodeEndpoints: hintedNodes(
        broker.cluster,
        answers.map(([, { currentLeader }]) => currentLeader),
      ),
    }
  },
})

const nameless = refuse('INVALID_REQUEST', 'a group and a member must be named')

function refused(refusal: Refusal) {
  return { throttleTimeMs: 0, ...refusalFields(refusal), responses: [], nodeEndpoints: [] }
}
