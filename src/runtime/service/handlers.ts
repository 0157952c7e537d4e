import type { DecodedEvent, DecodedTombstone, Event } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { Delivery } from '../delivery.ts'
import { wayThrough } from '../outcome.ts'
import type { Outcome, Way } from '../outcome.ts'
import { coordinatesOf, eventIn } from '../steps/decode.ts'
import { guardedStep } from '../steps/user-step.ts'
import type { StepParts, UserStep } from '../steps/user-step.ts'
import { HandlerContext } from './handler-context.ts'
import type { PublishWithin } from './handler-context.ts'

/** Does what an event asks for; the record is done when it has come to its end without an error. */
export type Handler = (event: Event, context: HandlerContext) => unknown

/** Deals with the deletion of a key. */
export type TombstoneHandler = (tombstone: DecodedTombstone, context: HandlerContext) => unknown

const unhandled: Outcome = { skipped: 'unhandled' }
const deleted: Outcome = { skipped: 'tombstone' }

/** A handler of an event, and the steps around it alone. */
interface Registered {
  readonly handler: Handler
  readonly steps: readonly UserStep[]
}

/** The handlers of a consumer: those of an event run one after another, as one. */
export class Handlers {
  readonly #byType = new Map<string, Registered[]>()
  #tombstone: TombstoneHandler | undefined

  add(type: string, handler: Handler, steps: readonly UserStep[]): void {
    const known = this.#byType.get(type)
    if (known === undefined) this.#byType.set(type, [{ handler, steps }])
    else known.push({ handler, steps })
  }

  setTombstone(handler: TombstoneHandler): void {
    if (this.#tombstone !== undefined) throw new OptionError('onTombstone', 'is said twice')
    this.#tombstone = handler
  }

  get hasTombstone(): boolean {
    return this.#tombstone !== undefined
  }

  get types(): ReadonlySet<string> {
    return new Set(this.#byType.keys())
  }

  /** The end of a record's way: runs what is meant for it, or passes over what nobody asked for. */
  way(publish: PublishWithin, parts: StepParts): Way {
    const tombstone = this.#tombstone
    const ways = new Map(
      [...this.#byType].map(([type, registered]) => [
        type,
        registered.map((each) => wayOf(each, publish, parts)),
      ]),
    )
    return (delivery) => {
      const { decoded } = delivery
      if (decoded === undefined || decoded.kind === 'unhandled') return unhandled
      if (decoded.kind === 'tombstone') {
        if (tombstone === undefined) return deleted
        const context = new HandlerContext(delivery, coordinatesOf(delivery), publish)
        return settled(tombstone(decoded, context))
      }
      const [first, ...others] = ways.get(decoded.event.type) ?? []
      if (first === undefined) return unhandled
      return others.length === 0 ? first(delivery) : inTurn([first, ...others], delivery)
    }
  }
}

function wayOf({ handler, steps }: Registered, publish: PublishWithin, parts: StepParts): Way {
  const run: Way = (delivery) => {
    const { event } = eventIn(delivery.decoded) as DecodedEvent
    return settled(handler(event, new HandlerContext(delivery, event.id, publish)))
  }
  const guarded = steps.map((step) => guardedStep(step, parts))
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

/** Whatever a handler answers is ignored, but that it is waited for. */
function settled(answer: unknown): Promise<undefined> | undefined {
  return isThenable(answer) ? Promise.resolve(answer).then(nothing) : undefined
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    typeof (answer as { then?: unknown }).then === 'function'
  )
}

function nothing(): undefined {
  return undefined
}
