import { kafkaError } from '../../src/protocol/index.ts'

/** The codes that say that a right is missing. */
const authorizationErrors: readonly number[] = [
  kafkaError.TOPIC_AUTHORIZATION_FAILED,
  kafkaError.GROUP_AUTHORIZATION_FAILED,
  kafkaError.CLUSTER_AUTHORIZATION_FAILED,
  kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
]

const fieldsWithCodes = ['errorCode', 'partitionErrorCode', 'topicConfigErrorCode']

/** Everything in an answer, however deep, that says that a right is missing. */
export function authorizationErrorsIn(answer: unknown): number[] {
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return []
  return Object.entries(answer).flatMap(([field, value]: [string, unknown]) =>
    fieldsWithCodes.includes(field) && authorizationErrors.includes(value as number)
      ? [value as number]
      : authorizationErrorsIn(value),
  )
}
