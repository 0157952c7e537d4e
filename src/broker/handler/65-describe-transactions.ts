import { describeTransactionsApi, kafkaError } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { coordinatorRefusal } from '../transaction/index.ts'
import type { TransactionDescription } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'

/** DescribeTransactions 0: what the coordinator knows of transactional ids. */
export const describeTransactions = defineHandler({
  api: describeTransactionsApi,
  versions: [0, 0],
  handle({ transactionalIds }, { broker, nodeId }) {
    const transactionStates = transactionalIds.map((transactionalId) => {
      const result =
        coordinatorRefusal(broker.cluster, nodeId, transactionalId) ??
        broker.transactions.describe(transactionalId)
      return isRefusal(result) ? refused(transactionalId, result) : described(result)
    })
    return { throttleTimeMs: 0, transactionStates }
  },
})

function refused(transactionalId: string, { error }: Refusal) {
  return {
    errorCode: kafkaError[error],
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}

function described(transaction: TransactionDescription) {
  return {
    errorCode: kafkaError.NONE,
    transactionalId: transaction.transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startTimestamp,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: [...transaction.partitions].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    })),
  }
}
