import { MillraceError } from '../../errors.ts'
import type { MillraceErrorOptions } from '../../errors.ts'
import { KafkaError } from '../client-error.ts'

/** A record that was not acknowledged. The code and `definitelyNotWritten` tell what that means. */
export class DeliveryError extends MillraceError {
  readonly topic: string
  /** -1 while none was chosen. */
  readonly partition: number
  /** True: no broker has it, nor will have it. False: it may be in the log, or still come there. */
  readonly definitelyNotWritten: boolean

  constructor(
    what: {
      readonly topic: string
      readonly partition: number
      readonly definitelyNotWritten: boolean
      readonly reason: string
    },
    options?: MillraceErrorOptions,
  ) {
    const { topic, partition, definitelyNotWritten, reason } = what
    const where = partition < 0 ? topic : `${topic}-${partition}`
    const outcome = definitelyNotWritten ? 'not written' : 'it is unknown whether it was written'
    super(codeOf(definitelyNotWritten), `record to ${where}: ${outcome}: ${reason}`, options)
    this.topic = topic
    this.partition = partition
    this.definitelyNotWritten = definitelyNotWritten
  }
}

/** The code of an error that says whether a record can have been written. */
export function codeOf(definitelyNotWritten: boolean) {
  return definitelyNotWritten ? 'MILLRACE_CLIENT_NOT_DELIVERED' : 'MILLRACE_CLIENT_DELIVERY_UNKNOWN'
}

/** Why the records of a batch were not acknowledged. */
export interface BatchFailure {
  readonly error: DeliveryError
  /** What was wrong with single records, by their index in the batch, where the broker told. */
  readonly recordErrors?: ReadonlyMap<number, DeliveryError>
}

const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/**
 * Whether a broker takes no record of that size. Not where the time of a record was over: what was said last is then of an earlier
 * try, of a batch that was too large and was cut in two since.
 */
export function isTooLarge(error: unknown): boolean {
  if (error instanceof KafkaError) return tooLarge.has(error.kafkaName)
  if (error instanceof AggregateError) return error.errors.some(isTooLarge)
  if (!(error instanceof Error)) return false
  const isOverTime = error instanceof DeliveryError && !(error.cause instanceof KafkaError)
  return !isOverTime && isTooLarge(error.cause)
}
