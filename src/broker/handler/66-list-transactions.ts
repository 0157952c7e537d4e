import { kafkaError, listTransactionsApi } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { coordinatorRefusal } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'

/** ListTransactions 0-2: the transactional ids that a node coordinates, filtered. */
export const listTransactions = defineHandler({
  api: listTransactionsApi,
  versions: [0, 2],
  handle(request, { broker, nodeId }) {
    const result = broker.transactions.list(
      {
        states: request.stateFilters,
        producerIds: request.producerIdFilters,
        durationMs: request.durationFilter,
        transactionalIdPattern: request.transactionalIdPattern,
      },
      (transactionalId) =>
        coordinatorRefusal(broker.cluster, nodeId, transactionalId) === undefined,
    )
    if (isRefusal(result)) {
      const errorCode = kafkaError[result.error]
      return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }
    }
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      unknownStateFilters: [...result.unknownStates],
      transactionStates: result.transactions.map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state,
      })),
    }
  },
})
