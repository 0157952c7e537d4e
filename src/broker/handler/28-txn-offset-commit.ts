import { kafkaError, txnOffsetCommitApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { allFailed, divideTopics } from './committed-topics.ts'
import { defineHandler } from './handler.ts'
import { refuseGroup } from './group-access.ts'
import { noTopicId } from './topic-id.ts'

/**
 * TxnOffsetCommit 0-5: stores a group's offsets as a part of a transaction; they count when it is
 * committed. From version 5 on it makes the group a part of the transaction by itself; before, AddOffsetsToTxn
 * must have done so.
 */
export const txnOffsetCommit = defineHandler({
  api: txnOffsetCommitApi,
  versions: [0, 5],
  async handle(request, { broker, nodeId, header }) {
    const { cluster, groups, transactions } = broker
    const { groupId, transactionalId, producerId, producerEpoch } = request
    const { version } = header
    const topics = request.topics.map((topic) => ({ ...topic, topicId: noTopicId }))
    const refusal =
      refuseGroup(cluster, nodeId, groupId) ??
      (await transactions.verifyOrAddOffsets({
        transactionalId,
        producerId,
        producerEpoch,
        groupId,
        version,
      }))
    if (refusal !== undefined)
      return { throttleTimeMs: 0, topics: allFailed(topics, kafkaError[refusal.error]) }
    const divided = divideTopics(cluster, topics, false)
    const committed = await groups.commitTransactionalOffsets(
      { ...request, topics: divided.known },
      version,
    )
    if (isRefusal(committed))
      return { throttleTimeMs: 0, topics: allFailed(topics, kafkaError[committed.error]) }
    return { throttleTimeMs: 0, topics: divided.answer(committed.topics) }
  },
})
