import { KafkaError } from '../client/index.ts'

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

const fencing: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])

/** Whether the same may go well another time. */
export function mayPass(error: unknown): boolean {
  return !namesOf(error).some((name) => permanent.has(name))
}

/** Whether another producer has taken the transactional id. */
export function isFenced(error: unknown): boolean {
  return namesOf(error).some((name) => fencing.has(name))
}

/** What brokers said, at the bottom of it all. */
function namesOf(error: unknown): string[] {
  if (error instanceof KafkaError) return [error.kafkaName]
  if (error instanceof AggregateError) return error.errors.flatMap(namesOf)
  return error instanceof Error && error.cause !== undefined ? namesOf(error.cause) : []
}
