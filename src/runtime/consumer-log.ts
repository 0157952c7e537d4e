import { ContractError } from '../contract/index.ts'
import { isMillraceError } from '../errors.ts'
import type { Log, LogFields } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import type { Delivery } from './delivery.ts'
import type { FailureAction } from './failure/failure-policy.ts'
import { SparseLog } from './sparse-log.ts'
import { eventTypeOf } from './steps/measure.ts'

/** Lines of a kind a minute: while everything fails, each further record tells nobody anything new. */
export const failureLinesMax = 20
export const letterMessage = 'a record became a dead letter'
const stackCharactersMax = 4_000

/** What becomes of the others is said where it is done: in the letter, or where the partition is stopped. */
const said: Readonly<Partial<Record<FailureAction, string>>> = {
  retry: 'a handler failed: its record is tried again',
  skip: 'a handler failed: its record is skipped, as a rule says',
}

/**
 * Tells the same to `events`, and to the log what an operator has to know of records that failed: where they are and why,
 * and never what is in them.
 */
export function logFailures(
  events: ConsumerEvents,
  log: Log,
  clock: Pick<Clock, 'elapsedMs'>,
): ConsumerEvents {
  const sparse = new SparseLog(log, clock, failureLinesMax)
  return {
    ...events,
    failed: (delivery, error, action) => {
      events.failed(delivery, error, action)
      const message = said[action]
      if (message !== undefined) sparse.say('warn', message, fieldsOf(delivery, error))
    },
    letterWritten: (delivery, error, isPoison) => {
      events.letterWritten(delivery, error, isPoison)
      const what = isPoison ? 'a record went to the poison topic' : letterMessage
      sparse.say(isPoison ? 'error' : 'warn', what, fieldsOf(delivery, error))
    },
  }
}

function fieldsOf(delivery: Delivery, error: unknown): LogFields {
  const { topic, partition, offset, decoded } = delivery
  const event = decoded?.kind === 'event' ? { eventId: decoded.id } : {}
  const attempt = delivery.attemptInAll
  return {
    ...{ topic, partition, offset, ...event, eventType: eventTypeOf(delivery), attempt },
    ...errorFieldsOf(error),
  }
}

/** Of what is wrong with a record, not the value that is: it may be personal. */
export function errorFieldsOf(error: unknown): LogFields {
  if (error instanceof ContractError) return { error: error.summary, reason: error.reason }
  if (!(error instanceof Error)) return { error: String(error) }
  const text = `${error.name}: ${error.message}`
  // Our own errors say what is wrong; of others it matters where they come from.
  if (isMillraceError(error)) return { error: text }
  return { error: text, stack: error.stack?.slice(0, stackCharactersMax) }
}
