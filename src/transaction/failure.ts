import { DeliveryError, KafkaError, kafkaNamesIn } from '../client/index.ts'

/** What no further try mends: somebody has to grant, create or enlarge something. */
const permanent: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'INVALID_RECORD',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_TRANSACTION_TIMEOUT',
  'MESSAGE_TOO_LARGE',
  'OFFSET_METADATA_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/** What a producer mends by itself as long as there is more than one record: it makes smaller batches. */
const mendedBySmallerBatches: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
])

const fencing: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])

/** Whether the same may go well another time. */
export function mayPass(error: unknown): boolean {
  const isOverTime = hasRunOutOfTime(error)
  return !kafkaNamesIn(error).some(
    (name) => permanent.has(name) && !(isOverTime && mendedBySmallerBatches.has(name)),
  )
}

/** Whether another producer has taken the transactional id. */
export function isFenced(error: unknown): boolean {
  return kafkaNamesIn(error).some((name) => fencing.has(name))
}

/**
 * Whether records were given up because their time was over, and not because a broker refused them. What brokers said last is then
 * of an earlier try: of a batch that was too large, and was cut in two since.
 */
function hasRunOutOfTime(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof DeliveryError) return !(error.cause instanceof KafkaError)
  return hasRunOutOfTime(error.cause)
}
