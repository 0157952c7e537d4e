import type { Refusal } from '../refusal.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

/**
 * What the rules make of a request. They are functions of the state and the request alone; the
 * coordinator makes the change durable and real.
 */
export type Decision =
  | Refusal
  /** Nothing has to change: the request was carried out before. */
  | { readonly kind: 'done' }
  | { readonly kind: 'change'; readonly next: TransactionMetadata }
  /** The rules must be asked again with a new producer id at hand. */
  | { readonly kind: 'needs-producer-id' }

/** A transactional id as the rules see it. */
export interface TransactionView {
  readonly metadata: TransactionMetadata
  /** Whether a change is being made durable, or markers are being written. */
  readonly changing: boolean
}

export const needsProducerId: Decision = { kind: 'needs-producer-id' }

export function changeTo(next: TransactionMetadata): Decision {
  return { kind: 'change', next }
}
