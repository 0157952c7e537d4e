import type { SourceRecord } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import { Batcher } from '../batch/batcher.ts'
import { orderKeyOf } from '../lanes/record-order.ts'
import type { Way } from '../outcome.ts'
import { wayThrough } from '../outcome.ts'
import { checkSteps, guardedStep } from '../steps/user-step.ts'
import type { UserStep } from '../steps/user-step.ts'
import { callWithRecords } from './batch-context.ts'
import type { BatchContext } from './batch-context.ts'
import type { BatchSettings } from './batch-options.ts'
import type { ConsumerWayParts } from './consumer-way.ts'
import { HandlerContext } from './handler-context.ts'
import { settled } from './settled.ts'

/** Does what a record asks for; it is done when this has come to its end without an error. */
export type RecordHandler = (record: SourceRecord, context: HandlerContext) => unknown

/** Does what many records ask for at once; `record` of each is the record as it was read. */
export type RecordBatchHandler = (
  records: readonly HandlerContext[],
  batch: BatchContext<HandlerContext>,
) => unknown

/** What becomes of records as they are: one by one, or in batches. */
export type RecordHandling =
  | { readonly handler: RecordHandler }
  | { readonly batchHandler: RecordBatchHandler; readonly settings: BatchSettings }

/** A consumer that takes records as they are, whatever is in them. */
export class RecordConsumer {
  /** No contract says what its topics are. */
  readonly topics = []
  readonly #handling: RecordHandling
  readonly #steps: UserStep[] = []
  #isStarted = false

  /** Use `service.records` or `createConsumer`. */
  constructor(handling: RecordHandling) {
    const handler: unknown = 'handler' in handling ? handling.handler : handling.batchHandler
    if (typeof handler !== 'function') throw new OptionError('handler', 'must be a function')
    this.#handling = handling
  }

  /** Puts a step around the handler, inside of those that were put there before. */
  use(step: UserStep): this {
    if (this.#isStarted) throw new OptionError('use', 'must be said before the service runs')
    this.#steps.push(...checkSteps([step], 'use'))
    return this
  }

  /** The way of a record, once all is said. @internal */
  way(parts: ConsumerWayParts): Way {
    this.#isStarted = true
    const own = this.#steps.map((step) => guardedStep(step, parts.stepParts))
    return wayThrough([...parts.steps, ...own], this.#end(parts))
  }

  #end({ sending, stepParts, turns, guard, order }: ConsumerWayParts): Way {
    const handling = this.#handling
    if ('handler' in handling) {
      const { handler } = handling
      return (delivery) => {
        const context = new HandlerContext(delivery, sending)
        return settled(handler(delivery.record, context))
      }
    }
    const { batchHandler, settings } = handling
    const batcher = new Batcher({
      ...settings,
      ...stepParts,
      turns,
      guard,
      orderKeyOf: (delivery) => orderKeyOf(order, delivery),
      run: callWithRecords(batchHandler, sending),
    })
    const guarded = settings.use.map((step) => guardedStep(step, stepParts))
    return wayThrough(guarded, batcher.way)
  }
}
