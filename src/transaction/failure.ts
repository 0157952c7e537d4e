import { isTooLarge, kafkaNamesIn } from '../client/index.ts'

/** What no further try mends: somebody has to grant or create something. */
const permanent: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'INVALID_RECORD',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_TRANSACTION_TIMEOUT',
  'OFFSET_METADATA_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

const fencing: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])

/** Whether the same may go well another time. */
export function mayPass(error: unknown): boolean {
  return !isTooLarge(error) && !kafkaNamesIn(error).some((name) => permanent.has(name))
}

/** Whether another producer has taken the transactional id. */
export function isFenced(error: unknown): boolean {
  return kafkaNamesIn(error).some((name) => fencing.has(name))
}
