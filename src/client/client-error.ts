import { MillraceError } from '../errors.ts'
import { isRetriable, kafkaErrorName } from '../protocol/index.ts'
import type { KafkaErrorName } from '../protocol/index.ts'

/** No answer came from a broker. */
export class ConnectionError extends MillraceError {
  /**
   * Whether the broker may have got the request, and acted on it. False is certain: nothing of it
   * was handed to the network.
   */
  readonly wasSent: boolean

  constructor(message: string, wasSent: boolean, options?: ErrorOptions) {
    super(wasSent ? 'MILLRACE_CLIENT_NO_ANSWER' : 'MILLRACE_CLIENT_UNREACHABLE', message, options)
    this.wasSent = wasSent
  }
}

/** A broker answered with an error code of Kafka's. */
export class KafkaError extends MillraceError {
  readonly kafkaCode: number
  /** Kafka's own name of the code, `'NOT_LEADER_OR_FOLLOWER'`. */
  readonly kafkaName: KafkaErrorName

  /** `what` says what was refused: `'commit of group billing'`. */
  constructor(kafkaCode: number, what: string, detail?: string | null, options?: ErrorOptions) {
    const name = kafkaErrorName(kafkaCode)
    const reason = detail === undefined || detail === null || detail === '' ? '' : `: ${detail}`
    super('MILLRACE_CLIENT_REFUSED', `${what}: ${name} (${kafkaCode})${reason}`, {
      ...options,
      retriable: isRetriable(kafkaCode),
    })
    this.kafkaCode = kafkaCode
    this.kafkaName = name
  }
}

/** Throws a `KafkaError` unless `code` is 0. */
export function checkKafkaCode(code: number, what: string, detail?: string | null): void {
  if (code !== 0) throw new KafkaError(code, what, detail)
}

/** What brokers said, at the bottom of an error: Kafka's own names. */
export function kafkaNamesIn(error: unknown): readonly KafkaErrorName[] {
  if (error instanceof KafkaError) return [error.kafkaName]
  if (error instanceof AggregateError) return error.errors.flatMap(kafkaNamesIn)
  return error instanceof Error && error.cause !== undefined ? kafkaNamesIn(error.cause) : []
}

/** Whether trying again may help: a lost connection, or a code that Kafka calls retriable. */
export function isWorthRetrying(error: unknown): boolean {
  return error instanceof MillraceError && error.retriable
}
