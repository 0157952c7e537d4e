import type { DecodedTombstone, Event } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { Outcome, Way } from '../outcome.ts'
import { coordinatesOf } from '../steps/decode.ts'
import { HandlerContext } from './handler-context.ts'
import type { PublishWithin } from './handler-context.ts'

/** Does what an event asks for; the record is done when it has come to its end without an error. */
export type Handler = (event: Event, context: HandlerContext) => unknown

/** Deals with the deletion of a key. */
export type TombstoneHandler = (tombstone: DecodedTombstone, context: HandlerContext) => unknown

const unhandled: Outcome = { skipped: 'unhandled' }
const deleted: Outcome = { skipped: 'tombstone' }

/** The handlers of a consumer: those of an event run one after another, as one. */
export class Handlers {
  readonly #byType = new Map<string, Handler[]>()
  #tombstone: TombstoneHandler | undefined

  add(type: string, handler: Handler): void {
    const known = this.#byType.get(type)
    if (known === undefined) this.#byType.set(type, [handler])
    else known.push(handler)
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
  way(publish: PublishWithin): Way {
    const tombstone = this.#tombstone
    return (delivery) => {
      const { decoded } = delivery
      if (decoded === undefined || decoded.kind === 'unhandled') return unhandled
      if (decoded.kind === 'tombstone') {
        if (tombstone === undefined) return deleted
        const context = new HandlerContext(delivery, coordinatesOf(delivery), publish)
        return settled(tombstone(decoded, context))
      }
      const { event } = decoded
      const handlers = this.#byType.get(event.type)
      if (handlers === undefined) return unhandled
      return inTurn(handlers, event, new HandlerContext(delivery, event.id, publish))
    }
  }
}

/** Runs handlers one after another; without a promise as long as none answers one. */
function inTurn(
  handlers: readonly Handler[],
  event: Event,
  context: HandlerContext,
): Outcome | Promise<Outcome> {
  for (const [index, handler] of handlers.entries()) {
    const answer = settled(handler(event, context))
    if (answer === undefined) continue
    const rest = handlers.slice(index + 1)
    return answer.then(() => inTurn(rest, event, context))
  }
  return undefined
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
