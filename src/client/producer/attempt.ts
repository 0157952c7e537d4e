import { kafkaError, kafkaErrorName, isRetriable } from '../../protocol/index.ts'
import { MillraceError } from '../../errors.ts'
import { ConnectionError, KafkaError } from '../client-error.ts'
import type { BatchWritten } from './batch-part.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** What one request made of a batch. */
export type Attempt =
  /** It is in the log, once. */
  | { readonly kind: 'written'; readonly written: BatchWritten }
  /** Not this time. `mayBeWritten` is false only where it is certain that this attempt did not write it. */
  | {
      readonly kind: 'retry'
      readonly mayBeWritten: boolean
      readonly error: Error
      /** The reason passes within milliseconds: the markers of the transaction before are being written. */
      readonly passesSoon?: boolean
    }
  /** Not written: the broker expects another sequence number. */
  | { readonly kind: 'sequence refused'; readonly error: Error }
  /** Not written: it is larger than the topic allows. */
  | { readonly kind: 'too large'; readonly error: Error }
  /** No retry helps. */
  | {
      readonly kind: 'failed'
      readonly mayBeWritten: boolean
      readonly error: Error
      /** What was wrong with single records, by their index. */
      readonly recordErrors?: ReadonlyMap<number, string | null>
    }

/** What a Produce response says of one partition. */
export interface PartitionAnswer {
  readonly errorCode: number
  readonly baseOffset: number
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly recordErrors: readonly {
    readonly batchIndex: number
    readonly batchIndexErrorMessage: string | null
  }[]
  readonly errorMessage: string | null
}

/**
 * Codes that brokers answer before they append anything. All other retriable ones count as "may be
 * written": NOT_LEADER_OR_FOLLOWER, for one, is also the answer when the leader moved between the append
 * and its acknowledgement (KAFKA-13574).
 */
const refusedBeforeAppend: ReadonlySet<number> = new Set([
  kafkaError.CORRUPT_MESSAGE,
  kafkaError.LEADER_NOT_AVAILABLE,
  kafkaError.NOT_ENOUGH_REPLICAS,
  kafkaError.UNKNOWN_TOPIC_ID,
  kafkaError.INCONSISTENT_TOPIC_ID,
  kafkaError.CONCURRENT_TRANSACTIONS,
  kafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaError.COORDINATOR_NOT_AVAILABLE,
  kafkaError.NOT_COORDINATOR,
  kafkaError.THROTTLING_QUOTA_EXCEEDED,
])

/** Reads what a broker answered for a batch. */
export function attemptOf(
  answer: PartitionAnswer,
  { topic, partition }: TopicPartition,
  isTransactional: boolean,
): Attempt {
  const { errorCode, baseOffset, logAppendTimeMs } = answer
  switch (errorCode) {
    case kafkaError.NONE:
      return { kind: 'written', written: { baseOffset, logAppendTimeMs } }
    case kafkaError.DUPLICATE_SEQUENCE_NUMBER:
      // It was written by an earlier attempt, so long ago that the broker does not remember where.
      return { kind: 'written', written: { baseOffset: -1, logAppendTimeMs: -1 } }
  }
  const what = `produce to ${topic}-${partition}`
  const error = new KafkaError(errorCode, what, answer.errorMessage)
  switch (errorCode) {
    case kafkaError.MESSAGE_TOO_LARGE:
      return { kind: 'too large', error }
    case kafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER:
      return { kind: 'sequence refused', error }
    case kafkaError.UNKNOWN_PRODUCER_ID:
      // Without the start of its log the broker was about to lose the partition: others know more.
      if (answer.logStartOffset < 0) return { kind: 'retry', mayBeWritten: false, error }
      return { kind: 'sequence refused', error }
    case kafkaError.INVALID_PRODUCER_EPOCH:
      if (!isTransactional) return { kind: 'sequence refused', error }
  }
  if (isRetriable(errorCode)) {
    const passesSoon = errorCode === kafkaError.CONCURRENT_TRANSACTIONS
    return { kind: 'retry', mayBeWritten: !refusedBeforeAppend.has(errorCode), error, passesSoon }
  }
  const mayBeWritten = kafkaErrorName(errorCode) === 'UNKNOWN_SERVER_ERROR'
  if (answer.recordErrors.length === 0) return { kind: 'failed', mayBeWritten, error }
  const recordErrors = new Map(
    answer.recordErrors.map(({ batchIndex, batchIndexErrorMessage }) => [
      batchIndex,
      batchIndexErrorMessage,
    ]),
  )
  return { kind: 'failed', mayBeWritten, error, recordErrors }
}

/** Errors that a request meets before anything of it is sent. */
const failedBeforeSending: ReadonlySet<string> = new Set([
  'MILLRACE_CLIENT_LOGIN_FAILED',
  'MILLRACE_CLIENT_UNSUPPORTED',
  'MILLRACE_CLIENT_CLOSED',
])

/** What it means for the batches of a request that no answer came. */
export function attemptWithout(error: unknown): Attempt {
  if (error instanceof ConnectionError) {
    return { kind: 'retry', mayBeWritten: error.wasSent, error }
  }
  if (error instanceof MillraceError && error.retriable) {
    return { kind: 'retry', mayBeWritten: true, error }
  }
  // An answer that cannot be read, for one: the broker has done something, nobody knows what.
  const mayBeWritten = !(error instanceof MillraceError && failedBeforeSending.has(error.code))
  return { kind: 'failed', mayBeWritten, error: error as Error }
}
