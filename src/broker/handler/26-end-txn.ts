import { endTxnApi, kafkaError } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { coordinatorRefusal } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'
import { transactionErrorCode } from './transaction-error.ts'

const fencedSince = 2
const firstVersionWithNewEpoch = 5

/**
 * EndTxn 0-5: commits or aborts. From version 5 on the answer carries the producer id and epoch of
 * the next transaction (KIP-890).
 */
export const endTxn = defineHandler({
  api: endTxnApi,
  versions: [0, 5],
  async handle(
    { transactionalId, producerId, producerEpoch, committed: commit },
    { broker, nodeId, header },
  ) {
    const result =
      coordinatorRefusal(broker.cluster, nodeId, transactionalId) ??
      (await broker.transactions.endTransaction({
        transactionalId,
        producerId,
        producerEpoch,
        commit,
        version: header.version >= firstVersionWithNewEpoch ? 2 : 0,
      }))
    if (isRefusal(result)) {
      const errorCode = transactionErrorCode(result, header.version, fencedSince)
      return { throttleTimeMs: 0, errorCode }
    }
    return { throttleTimeMs: 0, errorCode: kafkaError.NONE, ...result }
  },
})
