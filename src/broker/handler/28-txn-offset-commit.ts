import { kafkaError, txnOffsetCommitApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { allFailed, divideTopics } from './committed-topics.ts'
import { defineHandler } from './handler.ts'
import { refuseNamedGroup } from './group-access.ts'
import { noTopicId } from './topic-id.ts'

/** Producers before this version take the news that a group is being loaded for a fatal error. */
const firstVersionWithLoading = 2
/** The last version that only looks whether the group is in the transaction, which takes no time. */
const lastVerifyingVersion = 4

/**
 * TxnOffsetCommit 0-5: stores a group's offsets as a part of a transaction; they count when it is
 * committed. From version 5 on it makes the group a part of the transaction by itself; before,
 * AddOffsetsToTxn must have done so.
 */
export const txnOffsetCommit = defineHandler({
  api: txnOffsetCommitApi,
  versions: [0, 5],
  async handle(request, { broker, nodeId, header }) {
    const { cluster, groups, transactions } = broker
    const { groupId, transactionalId, producerId, producerEpoch } = request
    const { version } = header
    const write = { transactionalId, producerId, producerEpoch, groupId }
    const topics = request.topics.map((topic) => ({ ...topic, topicId: noTopicId }))
    const divided = divideTopics(cluster, topics, false)
    const { known } = divided
    if (!divided.any) return { throttleTimeMs: 0, topics: divided.answer([]) }
    const admitAgain = (): Refusal | undefined => {
      const verifying = Math.min(version, lastVerifyingVersion)
      const admission = transactions.verifyOrAddOffsets({ ...write, version: verifying })
      return admission instanceof Promise ? undefined : admission
    }
    const committed =
      refuseNamedGroup(cluster, nodeId, groupId) ??
      (await transactions.verifyOrAddOffsets({ ...write, version })) ??
      (await groups.commitTransactionalOffsets({ ...request, topics: known }, version, admitAgain))
    const stored = isRefusal(committed)
      ? allFailed(known, kafkaError[olderName(committed.error, version)])
      : committed.topics
    return { throttleTimeMs: 0, topics: divided.answer(stored) }
  },
})

function olderName(error: Refusal['error'], version: number): Refusal['error'] {
  const isLoading = error === 'COORDINATOR_LOAD_IN_PROGRESS'
  return isLoading && version < firstVersionWithLoading ? 'COORDINATOR_NOT_AVAILABLE' : error
}
