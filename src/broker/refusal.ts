import type { MillraceError } from '../errors.ts'
import type { KafkaErrorName } from '../protocol/index.ts'

/**
 * A request, or a part of one, that the broker answers with an error code. It is a value, not an
 * exception: a refused partition must not take its neighbours with it.
 */
export interface Refusal {
  readonly error: KafkaErrorName
  /** What is wrong, for protocols that carry a message. */
  readonly message: string
  /** The error behind it, where the broker itself has failed. */
  readonly cause?: MillraceError
}

export function refuse(error: KafkaErrorName, message: string): Refusal {
  return { error, message }
}

export function isRefusal(result: object | undefined): result is Refusal {
  return result !== undefined && 'error' in result
}
