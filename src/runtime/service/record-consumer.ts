import type { SourceRecord } from '../../driver/index.ts'
import { OptionError } from '../../errors.ts'
import type { Outcome, Step, Way } from '../outcome.ts'
import { wayThrough } from '../outcome.ts'
import { coordinatesOf } from '../steps/decode.ts'
import { checkSteps, guardedStep } from '../steps/user-step.ts'
import type { StepParts, UserStep } from '../steps/user-step.ts'
import { HandlerContext } from './handler-context.ts'
import type { PublishWithin } from './handler-context.ts'

/** Does what a record asks for; it is done when this has come to its end without an error. */
export type RecordHandler = (record: SourceRecord, context: HandlerContext) => unknown

/** A consumer that takes records as they are, whatever is in them. */
export class RecordConsumer {
  /** No contract says what its topics are. */
  readonly topics = []
  readonly #handler: RecordHandler
  readonly #steps: UserStep[] = []
  #isStarted = false

  /** Use `service.records` or `createConsumer`. */
  constructor(handler: RecordHandler) {
    const given: unknown = handler
    if (typeof given !== 'function') throw new OptionError('handler', 'must be a function')
    this.#handler = handler
  }

  /** Puts a step around the handler, inside of those that were put there before. */
  use(step: UserStep): this {
    if (this.#isStarted) throw new OptionError('use', 'must be said before the service runs')
    this.#steps.push(...checkSteps([step], 'use'))
    return this
  }

  /** The way of a record, once all is said. @internal */
  way(parts: {
    readonly outer: readonly Step[]
    readonly inner: readonly Step[]
    readonly stepParts: StepParts
    readonly publish: PublishWithin
  }): Way {
    this.#isStarted = true
    const handler = this.#handler
    const own = this.#steps.map((step) => guardedStep(step, parts.stepParts))
    const steps = [...parts.outer, ...parts.inner, ...own]
    return wayThrough(steps, (delivery) => {
      const context = new HandlerContext(delivery, coordinatesOf(delivery), parts.publish)
      const answer = handler(delivery.record, context)
      return isThenable(answer) ? Promise.resolve(answer).then(done) : undefined
    })
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer
}

const done = (): Outcome => undefined
