import { kafkaError } from '../../protocol/index.ts'
import type { Refusal } from '../refusal.ts'

/**
 * The code that answers a request to the transaction coordinator. PRODUCER_FENCED is younger than
 * the APIs: versions before `fencedSince` say INVALID_PRODUCER_EPOCH, which their clients treat alike.
 */
export function transactionErrorCode(
  refusal: Refusal | undefined,
  version: number,
  fencedSince: number,
): number {
  if (refusal === undefined) return kafkaError.NONE
  const unknown = refusal.error === 'PRODUCER_FENCED' && version < fencedSince
  return kafkaError[unknown ? 'INVALID_PRODUCER_EPOCH' : refusal.error]
}
