import { addOffsetsToTxnApi } from '../../protocol/index.ts'
import { refuse } from '../refusal.ts'
import { coordinatorRefusal } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'
import { transactionErrorCode } from './transaction-error.ts'

const fencedSince = 2

/** AddOffsetsToTxn 0-4: makes the offsets of a group a part of a transaction. */
export const addOffsetsToTxn = defineHandler({
  api: addOffsetsToTxnApi,
  versions: [0, 4],
  async handle(
    { transactionalId, producerId, producerEpoch, groupId },
    { broker, nodeId, header },
  ) {
    // A producer may come here before it has ever looked for the group's coordinator.
    const unprepared = await broker.cluster.prepareCoordinators('group')
    const refusal =
      (unprepared && refuse('COORDINATOR_NOT_AVAILABLE', unprepared.message)) ??
      coordinatorRefusal(broker.cluster, nodeId, transactionalId) ??
      (await broker.transactions.addOffsets({
        transactionalId,
        producerId,
        producerEpoch,
        groupId,
      }))
    const errorCode = transactionErrorCode(refusal, header.version, fencedSince)
    return { throttleTimeMs: 0, errorCode }
  },
})
