import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/** The transactional id is unknown, or belongs to another producer id. */
export function otherProducerId(transactionalId: string): Refusal {
  return refuse(
    'INVALID_PRODUCER_ID_MAPPING',
    `the producer id does not belong to transactional id '${transactionalId}'`,
  )
}

/** The epoch is not the current one: another producer has taken over, or a timeout fenced this one. */
export function otherEpoch(transactionalId: string): Refusal {
  return refuse(
    'PRODUCER_FENCED',
    `the producer epoch is not the current one of transactional id '${transactionalId}'`,
  )
}

/** A request on the same id is not finished yet; the same one can succeed soon. */
export function concurrent(transactionalId: string): Refusal {
  return refuse(
    'CONCURRENT_TRANSACTIONS',
    `the last request for transactional id '${transactionalId}' is still being carried out`,
  )
}

export function emptyTransactionalId(): Refusal {
  return refuse('INVALID_REQUEST', 'the transactional id must not be empty')
}

/** Offsets cannot be a part of a transaction while there is nowhere to keep them. */
export function noOffsetsTopic(): Refusal {
  return refuse('COORDINATOR_NOT_AVAILABLE', 'there is no topic for the offsets of groups yet')
}
