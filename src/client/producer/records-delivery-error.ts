import { MillraceError } from '../../errors.ts'
import { codeOf } from './delivery-error.ts'
import type { DeliveryError } from './delivery-error.ts'
import type { RecordOutcome, Results } from './record-results.ts'

/** Some records of a call were not acknowledged; `outcomes` has what became of each. */
export class RecordsDeliveryError extends MillraceError {
  /** One for each record, in the order in which they were given. */
  readonly outcomes: Results<RecordOutcome>
  /** How many were not acknowledged. */
  readonly failedCount: number
  /** True: none of those that were not acknowledged was written. */
  readonly definitelyNotWritten: boolean

  constructor(outcomes: Results<RecordOutcome>) {
    let first: DeliveryError | undefined
    let failedCount = 0
    let definitelyNotWritten = true
    let retriable = true
    for (const outcome of outcomes) {
      if (!('error' in outcome)) continue
      first ??= outcome.error
      failedCount += 1
      definitelyNotWritten &&= outcome.error.definitelyNotWritten
      retriable &&= outcome.error.retriable
    }
    const message = `${failedCount} of ${outcomes.length} records: ${first?.message ?? ''}`
    super(codeOf(definitelyNotWritten), message, { cause: first, retriable })
    this.outcomes = outcomes
    this.failedCount = failedCount
    this.definitelyNotWritten = definitelyNotWritten
  }
}
