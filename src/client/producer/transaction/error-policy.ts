import { isMillraceError } from '../../../errors.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { ConnectionError, isWorthRetrying, KafkaError } from '../../client-error.ts'
import { TransactionError } from './transaction-error.ts'
import type { TransactionAction } from './transaction-error.ts'

/** The requests of which a transaction is made. */
export type TransactionRequest =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'Produce'
  | 'EndTxn'

/**
 * What an attempt that failed means for the next one: none; at the same coordinator, after the usual
 * pause; after a pause of a few milliseconds, because another request is still being carried out; or at the
 * coordinator that is to be looked up again.
 */
export type NextAttempt = 'none' | 'later' | 'soon' | 'elsewhere'

/** Nothing is wrapped deeper; a cause that is its own cause would never end. */
const causesMax = 10

const coordinatorHasMoved: ReadonlySet<number> = new Set([
  kafkaError.NOT_COORDINATOR,
  kafkaError.COORDINATOR_NOT_AVAILABLE,
  // A group coordinator that cannot reach its replicas may no longer be one.
  kafkaError.REQUEST_TIMED_OUT,
])

/** Refusals that were decided before anything was written. */
const certainlyWithoutEffect: ReadonlySet<number> = new Set([
  kafkaError.CONCURRENT_TRANSACTIONS,
  kafkaError.COORDINATOR_LOAD_IN_PROGRESS,
])

const endsTheProducer: ReadonlySet<number> = new Set([
  kafkaError.PRODUCER_FENCED,
  kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  kafkaError.CLUSTER_AUTHORIZATION_FAILED,
  kafkaError.UNSUPPORTED_VERSION,
  kafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
])

/** The coordinator has another producer, or none, under the transactional id. */
const identityIsForgotten: ReadonlySet<number> = new Set([
  kafkaError.INVALID_PRODUCER_ID_MAPPING,
  kafkaError.UNKNOWN_PRODUCER_ID,
])

export function nextAttempt(error: unknown): NextAttempt {
  if (error instanceof ConnectionError) return 'elsewhere'
  if (!(error instanceof KafkaError)) return isWorthRetrying(error) ? 'later' : 'none'
  if (error.kafkaCode === kafkaError.CONCURRENT_TRANSACTIONS) return 'soon'
  if (coordinatorHasMoved.has(error.kafkaCode)) return 'elsewhere'
  return error.retriable ? 'later' : 'none'
}

/**
 * Whether a failed attempt at something may have taken effect. An error that a coordinator answers because its
 * own write was not confirmed (its leadership went, its replicas were slow) proves nothing.
 */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.wasSent
  if (!(error instanceof KafkaError)) return false
  const { kafkaCode, retriable } = error
  if (kafkaCode === kafkaError.UNKNOWN_SERVER_ERROR) return true
  return retriable && !certainlyWithoutEffect.has(kafkaCode)
}

/** The error that a broker or the client itself has raised: what delivers records wraps it. */
export function rootOf(error: unknown): unknown {
  let root = error
  for (let depth = 0; depth < causesMax; depth++) {
    if (root instanceof KafkaError || root instanceof TransactionError) return root
    if (!(root instanceof Error) || root.cause === undefined) return root
    root = root.cause
  }
  return root
}

/**
 * What is left to do when a request of an open transaction has failed for good. Aborting is always safe: if
 * the producer is at its end, the abort finds out.
 */
export function actionAfter(request: TransactionRequest, cause: unknown): TransactionAction {
  const error = rootOf(cause)
  if (error instanceof KafkaError) {
    if (endsTheProducer.has(error.kafkaCode)) return 'close'
    const saysTheCoordinator = request !== 'Produce' && request !== 'TxnOffsetCommit'
    return saysTheCoordinator && isFenced(error) ? 'close' : 'abort'
  }
  const ends =
    isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED') ||
    isMillraceError(error, 'MILLRACE_CLIENT_CLOSED') ||
    isMillraceError(error, 'MILLRACE_CLIENT_LOGIN_FAILED')
  return ends ? 'close' : 'abort'
}

/** Another producer has the transactional id, or the broker has given the transaction up. */
export function isFenced(error: unknown): boolean {
  return (
    error instanceof KafkaError &&
    (error.kafkaCode === kafkaError.PRODUCER_FENCED ||
      error.kafkaCode === kafkaError.INVALID_PRODUCER_EPOCH)
  )
}

/** The coordinator does not know the identity: nothing can be ended with it, and another is needed. */
export function isForgotten(error: unknown): boolean {
  return error instanceof KafkaError && identityIsForgotten.has(error.kafkaCode)
}
