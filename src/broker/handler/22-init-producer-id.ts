import { initProducerIdApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { coordinatorRefusal } from '../transaction/index.ts'
import type { ProducerIdentity } from '../transaction/index.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { transactionErrorCode } from './transaction-error.ts'

const fencedSince = 4

/**
 * InitProducerId 0-5: who a producer is. From version 3 on a producer that met an error says who it
 * was, and keeps its id where that still holds (KIP-360).
 */
export const initProducerId = defineHandler({
  api: initProducerIdApi,
  versions: [0, 5],
  async handle(request, context) {
    const result = await identify(request, context)
    if (!isRefusal(result)) return { throttleTimeMs: 0, errorCode: kafkaError.NONE, ...result }
    const errorCode = transactionErrorCode(result, context.header.version, fencedSince)
    return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
  },
})

function identify(
  request: RequestOf<typeof initProducerIdApi>,
  { broker, nodeId }: RequestContext,
): Refusal | Promise<ProducerIdentity | Refusal> {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  if ((producerId === -1) !== (producerEpoch === -1)) {
    return refuse('INVALID_REQUEST', 'a producer id and its epoch must be given together')
  }
  if (transactionalId !== null) {
    const elsewhere = coordinatorRefusal(broker.cluster, nodeId, transactionalId)
    if (elsewhere !== undefined) return elsewhere
  }
  const expected = producerId === -1 ? undefined : { producerId, producerEpoch }
  return broker.transactions.initProducerId({ transactionalId, timeoutMs, expected })
}
