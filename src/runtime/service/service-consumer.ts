import type { TopicContract } from '../../contract/index.ts'
import type { DecodedTombstone, EventContract, EventOf, ContractsOf } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { optionsOf } from '../../option-checks.ts'
import type { Way } from '../outcome.ts'
import { wayThrough } from '../outcome.ts'
import { decodeStep } from '../steps/decode.ts'
import { checkSteps, guardedStep } from '../steps/user-step.ts'
import type { UserStep } from '../steps/user-step.ts'
import type { BatchContext, BatchEvent } from './batch-context.ts'
import { resolveBatchOptions } from './batch-options.ts'
import type { BatchOptions } from './batch-options.ts'
import type { ConsumerWayParts } from './consumer-way.ts'
import { Handlers } from './handlers.ts'
import type { BatchHandler, Handler } from './handlers.ts'
import type { HandlerContext } from './handler-context.ts'

/** How one handler is run. */
export interface HandlerOptions {
  /** Steps around this handler alone, the first one outside. */
  readonly use?: readonly UserStep[]
}

/** What a consumer of a service does with the events of its topics. */
export class ServiceConsumer<Topic extends TopicContract = TopicContract> {
  readonly topics: readonly TopicContract[]
  readonly #handlers = new Handlers()
  readonly #steps: UserStep[] = []
  #isStarted = false

  /** Use `service.consumer`. */
  constructor(topics: readonly TopicContract[]) {
    this.topics = topics
  }

  /**
   * Handles an event of the topics. Several handlers of one event run one after another, and fail as one.
   *
   * @example
   * consumer.on(OrderCreated, async (event, { signal }) => ship(event.data, signal))
   */
  on<Contract extends ContractsOf<Topic>>(
    event: Contract,
    handler: (event: EventOf<Contract>, context: HandlerContext) => unknown,
    options: HandlerOptions = {},
  ): this {
    this.#checkOpen('on')
    this.#checkKnown(event)
    if (typeof handler !== 'function') throw new OptionError('handler', 'must be a function')
    const { use = [] } = optionsOf(options, 'on', ['use']) as HandlerOptions
    this.#handlers.add(event.type, handler as Handler, checkSteps(use, 'on.use'))
    return this
  }

  /**
   * Handles events in batches: many at a time, of all partitions that are read here, in the order of each key. When it
   * throws, what it has not marked as done runs again, one event at a time.
   *
   * @example
   * consumer.batch(OrderCreated, (events, { signal }) => insertAll(events.map(({ event }) => event.data), signal), {
   *   recordsMax: 500,
   * })
   */
  batch<Contract extends ContractsOf<Topic>>(
    events: Contract | readonly Contract[],
    handler: (
      events: readonly BatchEvent<EventOf<Contract>>[],
      batch: BatchContext<BatchEvent<EventOf<Contract>>>,
    ) => unknown,
    options: BatchOptions = {},
  ): this {
    this.#checkOpen('batch')
    const list: readonly EventContract[] = Array.isArray(events) ? events : [events]
    for (const event of list) this.#checkKnown(event)
    if (typeof handler !== 'function') throw new OptionError('handler', 'must be a function')
    this.#handlers.addBatch({
      types: list.map(({ type }) => type),
      handler: handler as unknown as BatchHandler,
      settings: resolveBatchOptions(options, 'batch'),
    })
    return this
  }

  /** Handles the deletion of keys, where the topic allows them. */
  onTombstone(handler: (tombstone: DecodedTombstone, context: HandlerContext) => unknown): this {
    this.#checkOpen('onTombstone')
    this.#handlers.setTombstone(handler)
    return this
  }

  /** Puts a step around the handlers of every record, inside of those that were put there before. */
  use(step: UserStep): this {
    this.#checkOpen('use')
    this.#steps.push(...checkSteps([step], 'use'))
    return this
  }

  /** The way of a record, once all is said. @internal */
  way(parts: ConsumerWayParts): Way {
    this.#isStarted = true
    this.#checkHandlers()
    const topics = new Map(this.topics.map((topic) => [topic.name, topic]))
    const steps = [
      decodeStep(topics, this.#handlers.types, parts.time),
      ...parts.steps,
      ...this.#steps.map((step) => guardedStep(step, parts.stepParts)),
    ]
    return wayThrough(steps, this.#handlers.way(parts))
  }

  #checkOpen(what: string): void {
    if (!this.#isStarted) return
    throw new OptionError(what, 'must be said before the service runs')
  }

  #checkKnown(event: EventContract): void {
    if (this.topics.some((topic) => topic.isOpen || topic.events.get(event.type) === event)) return
    const names = this.topics.map(({ name }) => name).join(', ')
    throw new OptionError('on', `('${event.type}') is no event of ${names}`)
  }

  #checkHandlers(): void {
    const names = this.topics.map(({ name }) => name).join(', ')
    if (this.#handlers.types.size === 0 && !this.#handlers.hasTombstone) {
      throw new OptionError('consumer', `of ${names} handles nothing; say on(event, handler)`)
    }
    for (const topic of this.topics) {
      if (topic.tombstones !== 'handle' || this.#handlers.hasTombstone) continue
      throw new OptionError('onTombstone', `is missing: ${topic.name} has tombstones to be handled`)
    }
  }
}
