import { ConnectionError, KafkaError } from '../../client/index.ts'
import { isMillraceError, MillraceError } from '../../errors.ts'

/** What is looked at of errors of kafkajs, which wraps them in each other. */
interface KafkaJsErrorShape {
  readonly name?: unknown
  readonly message?: unknown
  readonly type?: unknown
  readonly code?: unknown
  readonly retriable?: unknown
  readonly cause?: unknown
  readonly originalError?: unknown
  readonly errors?: unknown
}

/** No answer, or nobody there: what a later try may mend. */
const passingNames: ReadonlySet<unknown> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
])

/** Certainly nothing was sent. */
const unsentNames: ReadonlySet<unknown> = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
])

const depthMax = 8

/** The library's error for one of kafkajs; `what` says what was asked for. */
export function fromKafkaJs(error: unknown, what: string): MillraceError {
  if (isMillraceError(error)) return error
  const chain = chainOf(error)
  const cause = { cause: error }
  const refusal = chain.find(({ type, code }) => typeof type === 'string' && isErrorCode(code))
  if (refusal !== undefined) return new KafkaError(refusal.code as number, what, undefined, cause)
  const message = `${what}: ${textOf(error)}`
  const named = (names: ReadonlySet<unknown>) => chain.some(({ name }) => names.has(name))
  if (named(new Set(['KafkaJSSASLAuthenticationError']))) {
    return new MillraceError('MILLRACE_CLIENT_LOGIN_FAILED', message, cause)
  }
  if (named(new Set(['KafkaJSNotImplemented', 'KafkaJSUnsupportedMagicByteInMessageSet']))) {
    return new MillraceError('MILLRACE_CLIENT_UNSUPPORTED', message, cause)
  }
  if (named(passingNames)) return new ConnectionError(message, !named(unsentNames), cause)
  const retriable = chain.some((each) => each.retriable === true)
  return new MillraceError('MILLRACE_CLIENT_STATE_INVALID', message, { ...cause, retriable })
}

/** The error, what it wraps, and so on; of several failures the first. */
function chainOf(error: unknown): readonly KafkaJsErrorShape[] {
  const chain: KafkaJsErrorShape[] = []
  let next = error
  while (typeof next === 'object' && next !== null && chain.length < depthMax) {
    const shape: KafkaJsErrorShape = next
    chain.push(shape)
    next = Array.isArray(shape.errors) ? shape.errors[0] : (shape.cause ?? shape.originalError)
  }
  return chain
}

function isErrorCode(code: unknown): boolean {
  return typeof code === 'number' && Number.isSafeInteger(code) && code !== 0
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
