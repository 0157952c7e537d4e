import type { DecodedEvent, DecodedTombstone, Event } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { WayParts } from '../assemble.ts'
import { Batcher, behindBatch } from '../batch/batcher.ts'
import type { Delivery } from '../delivery.ts'
import { orderKeyOf } from '../lanes/record-order.ts'
import { wayThrough } from '../outcome.ts'
import type { Outcome, Way } from '../outcome.ts'
import { eventIn } from '../steps/decode.ts'
import { guardedStep } from '../steps/user-step.ts'
import type { StepParts, UserStep } from '../steps/user-step.ts'
import { callWithEvents } from './batch-context.ts'
import type { BatchContext, BatchEvent } from './batch-context.ts'
import type { BatchSettings } from './batch-options.ts'
import { HandlerContext } from './handler-context.ts'
import type { Sending } from './sending.ts'
import { settled } from './settled.ts'

/** Does what an event asks for; the record is done when it has come to its end without an error. */
export type Handler = (event: Event, context: HandlerContext) => unknown

/** Deals with the deletion of a key. */
export type TombstoneHandler = (tombstone: DecodedTombstone, context: HandlerContext) => unknown

/** Does what many events ask for at once; they are done when it has come to its end without an error. */
export type BatchHandler = (
  events: readonly BatchEvent[],
  batch: BatchContext<BatchEvent>,
) => unknown

const unhandled: Outcome = { skipped: 'unhandled' }
const deleted: Outcome = { skipped: 'tombstone' }

/** A handler of an event, and the steps around it alone. */
interface Registered {
  readonly handler: Handler
  readonly steps: readonly UserStep[]
}

/** A handler of batches of one or more events. */
interface RegisteredBatch {
  readonly types: readonly string[]
  readonly handler: BatchHandler
  readonly settings: BatchSettings
}

/** What ways need of the consumer and its service. */
export interface HandlingParts extends WayParts {
  readonly sending: Sending
  readonly stepParts: StepParts
}

/** The handlers of a consumer: those of an event run one after another, as one; or it is handled in batches. */
export class Handlers {
  readonly #byType = new Map<string, Registered[]>()
  readonly #batches: RegisteredBatch[] = []
  #tombstone: TombstoneHandler | undefined

  add(type: string, handler: Handler, steps: readonly UserStep[]): void {
    if (this.#isInBatches(type)) throw handledTwice(type)
    const known = this.#byType.get(type)
    if (known === undefined) this.#byType.set(type, [{ handler, steps }])
    else known.push({ handler, steps })
  }

  addBatch(batch: RegisteredBatch): void {
    for (const type of batch.types) {
      if (this.#byType.has(type) || this.#isInBatches(type)) throw handledTwice(type)
    }
    this.#batches.push(batch)
  }

  setTombstone(handler: TombstoneHandler): void {
    if (this.#tombstone !== undefined) throw new OptionError('onTombstone', 'is said twice')
    this.#tombstone = handler
  }

  get hasTombstone(): boolean {
    return this.#tombstone !== undefined
  }

  get types(): ReadonlySet<string> {
    return new Set([...this.#byType.keys(), ...this.#batches.flatMap(({ types }) => types)])
  }

  /** The end of a record's way: runs what is meant for it, or passes over what nobody asked for. */
  way(parts: HandlingParts): Way {
    const tombstone = this.#tombstone
    const ways = new Map([...this.#singleWays(parts), ...this.#batchWays(parts)])
    return (delivery) => {
      const { decoded } = delivery
      if (decoded === undefined || decoded.kind === 'unhandled') return unhandled
      if (decoded.kind === 'event') return (ways.get(decoded.event.type) ?? passOver)(delivery)
      if (tombstone === undefined) return deleted
      if (delivery.lane?.isShared === true) return behindBatch
      const context = new HandlerContext(delivery, parts.sending)
      return settled(tombstone(decoded, context))
    }
  }

  #singleWays(parts: HandlingParts): [string, Way][] {
    const hasBatches = this.#batches.length > 0
    return [...this.#byType].map(([type, registered]) => {
      const ways = registered.map((each) => wayOf(each, parts))
      const way =
        ways.length === 1 ? (ways[0] as Way) : (delivery: Delivery) => inTurn(ways, delivery)
      return [type, hasBatches ? behindBatches(way) : way]
    })
  }

  #batchWays(parts: HandlingParts): [string, Way][] {
    return this.#batches.flatMap(({ types, handler, settings }) => {
      const batcher = new Batcher({
        ...settings,
        ...parts.stepParts,
        turns: parts.turns,
        guard: parts.guard,
        orderKeyOf: (delivery) => orderKeyOf(parts.order, delivery),
        run: callWithEvents(handler, parts.sending),
      })
      const guarded = settings.use.map((step) => guardedStep(step, parts.stepParts))
      const way = wayThrough(guarded, batcher.way)
      return types.map((type): [string, Way] => [type, way])
    })
  }

  #isInBatches(type: string): boolean {
    return this.#batches.some(({ types }) => types.includes(type))
  }
}

const passOver: Way = () => unhandled

/** Nothing of a key runs while records of it before are in a batch. */
function behindBatches(way: Way): Way {
  return (delivery) => (delivery.lane?.isShared === true ? behindBatch : way(delivery))
}

function handledTwice(type: string): OptionError {
  return new OptionError(
    'batch',
    `('${type}') has a handler already: an event has one batch handler, or others`,
  )
}

function wayOf({ handler, steps }: Registered, { sending, stepParts }: HandlingParts): Way {
  const run: Way = (delivery) => {
    const { event } = eventIn(delivery.decoded) as DecodedEvent
    return settled(handler(event, new HandlerContext(delivery, sending)))
  }
  const guarded = steps.map((step) => guardedStep(step, stepParts))
  return wayThrough(guarded, run)
}

/**
 * Runs handlers one after another; without a promise as long as none answers one. The event is skipped only when the steps
 * of every handler say so; when one of them has to wait, all begin anew.
 */
function inTurn(ways: readonly Way[], delivery: Delivery): Outcome | Promise<Outcome> {
  let isDone = false
  let last: Outcome
  for (const [index, way] of ways.entries()) {
    const outcome = way(delivery)
    if (outcome instanceof Promise) {
      const rest = [() => outcome, ...ways.slice(index + 1)]
      return runLater(isDone, rest, delivery)
    }
    if (outcome !== undefined && 'postponedMs' in outcome) return outcome
    isDone ||= outcome === undefined
    last = outcome
  }
  return isDone ? undefined : last
}

async function runLater(
  wasDone: boolean,
  ways: readonly Way[],
  delivery: Delivery,
): Promise<Outcome> {
  let isDone = wasDone
  let last: Outcome
  for (const way of ways) {
    const outcome = await way(delivery)
    if (outcome !== undefined && 'postponedMs' in outcome) return outcome
    isDone ||= outcome === undefined
    last = outcome
  }
  return isDone ? undefined : last
}
