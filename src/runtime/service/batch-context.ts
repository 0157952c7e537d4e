import type { DecodedEvent, Event } from '../../contract/index.ts'
import type { BatchCall } from '../batch/batcher.ts'
import type { Delivery } from '../delivery.ts'
import { eventIn } from '../steps/decode.ts'
import { HandlerContext } from './handler-context.ts'
import type { Sending } from './sending.ts'

/** An event of a batch: what it says, where it comes from, and what can be sent because of it. */
export class BatchEvent<EventType = Event> extends HandlerContext {
  readonly event: EventType

  constructor(delivery: Delivery, sending: Sending) {
    const { event } = eventIn(delivery.decoded) as DecodedEvent
    super(delivery, sending)
    this.event = event as EventType
  }
}

/** What a batch handler gets beside the records; what can be called may be taken out of it. */
export class BatchContext<Item extends HandlerContext> {
  readonly #call: BatchCall
  readonly #deliveries: ReadonlyMap<Item, Delivery>

  constructor(call: BatchCall, deliveries: ReadonlyMap<Item, Delivery>) {
    this.#call = call
    this.#deliveries = deliveries
  }

  /** Aborts when the batch has to end: its time is over, or a partition of it is given up. Pass it on to what is awaited. */
  get signal(): AbortSignal {
    return this.#call.signal
  }

  /**
   * The record is done, also if the batch fails. Records of a key are marked in their order: marking one before an earlier
   * one of its key throws.
   */
  readonly done = (record: Item): void => {
    this.#call.marks.done(this.#deliveryOf(record))
  }

  /** The record has failed, and nothing else: what is done about failures is done about it. */
  readonly fail = (record: Item, error: unknown): void => {
    this.#call.marks.fail(this.#deliveryOf(record), error)
  }

  #deliveryOf(record: Item): Delivery {
    const delivery = this.#deliveries.get(record)
    if (delivery === undefined) throw new Error('the record is not of this batch')
    return delivery
  }
}

/** Runs a handler on a batch of events. */
export function callWithEvents(
  handler: (events: readonly BatchEvent[], batch: BatchContext<BatchEvent>) => unknown,
  sending: Sending,
): (call: BatchCall) => unknown {
  return callWith(handler, (delivery) => new BatchEvent(delivery, sending))
}

/** Runs a handler on a batch of records as they are. */
export function callWithRecords(
  handler: (records: readonly HandlerContext[], batch: BatchContext<HandlerContext>) => unknown,
  sending: Sending,
): (call: BatchCall) => unknown {
  return callWith(handler, (delivery) => {
    return new HandlerContext(delivery, sending)
  })
}

function callWith<Item extends HandlerContext>(
  handler: (items: readonly Item[], batch: BatchContext<Item>) => unknown,
  itemOf: (delivery: Delivery) => Item,
): (call: BatchCall) => unknown {
  return (call) => {
    const items = call.deliveries.map(itemOf)
    const deliveries = new Map(
      items.map((item, index) => [item, call.deliveries[index] as Delivery]),
    )
    return handler(items, new BatchContext(call, deliveries))
  }
}
