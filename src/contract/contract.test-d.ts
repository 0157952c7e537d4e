/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-assignment --
   what must not compile has no type */
import { type as ark } from 'arktype'
import * as v from 'valibot'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import type { Awaitable, DecodedEvent, Event, EventOf, HandlersOf, RawRecord } from './index.ts'
import {
  decodeRecord,
  defineEvent,
  defineTopic,
  encodeEvent,
  jsonSchema,
  Type,
  upcastFrom,
} from './index.ts'
import type { orders } from './fixture/orders.ts'
import { OrderCancelled, OrderCreated } from './fixture/orders.ts'

type Orders = typeof orders
const options = { id: '1', timestamp: 0 }

// Checked by the type checker alone: each line that must not compile is marked as such.
export function eventTypes(event: EventOf<Orders>): void {
  expectTypeOf<EventOf<typeof OrderCancelled>>().toEqualTypeOf<
    Event<'ORDER_CANCELLED', { orderId: string; reason?: string }>
  >()
  expectTypeOf(event.type).toEqualTypeOf<'ORDER_CREATED' | 'ORDER_CANCELLED'>()
  expectTypeOf(event.data.orderId).toEqualTypeOf<string>()
  // @ts-expect-error: only after the type is known
  expectTypeOf(event.data.products).not.toBeNever()
  if (event.type === 'ORDER_CREATED') expectTypeOf(event.data.products[0]).not.toBeNever()
  else expectTypeOf(event.data.reason).toEqualTypeOf<string | undefined>()
  // @ts-expect-error: no event of the topic
  if (event.type === 'ORDER_SHIPPED') return
  // @ts-expect-error: events are not changed
  event.id = ''
}

export function payloads(topic: Orders): void {
  void encodeEvent(topic, OrderCancelled, { orderId: 'o' }, options)
  // @ts-expect-error: a wrong payload
  void encodeEvent(topic, OrderCancelled, { orderId: 1 }, options)
  // @ts-expect-error: a missing field
  void encodeEvent(topic, OrderCancelled, {}, options)
  // @ts-expect-error: an unknown field
  void encodeEvent(topic, OrderCancelled, { orderId: 'o', cause: 'c' }, options)
  const Foreign = defineEvent('FOREIGN', { data: Type.Object({ orderId: Type.String() }) })
  // @ts-expect-error: an event that is not the topic's
  void encodeEvent(topic, Foreign, { orderId: 'o' }, options)
  // @ts-expect-error: the id is the caller's business
  void encodeEvent(topic, OrderCancelled, { orderId: 'o' }, { timestamp: 0 })
}

export function keys(): void {
  defineTopic('t', { events: [OrderCreated, OrderCancelled], key: ({ data }) => data.orderId })
  defineTopic('t', {
    events: [OrderCreated, OrderCancelled],
    key: (event) => (event.type === 'ORDER_CREATED' ? event.data.userId : null),
  })
  // @ts-expect-error: no field of the data
  defineTopic('t', { events: [OrderCreated], key: ({ data }) => data.order })
  // @ts-expect-error: not a field of every event
  defineTopic('t', { events: [OrderCreated, OrderCancelled], key: ({ data }) => data.userId })
  // @ts-expect-error: the id of an event is no key, since no two events share it
  defineTopic('t', { events: [OrderCreated], key: ({ id }) => id })
  // @ts-expect-error: a key is text, bytes or null
  defineTopic('t', { events: [OrderCreated], key: ({ data }) => data.totalAmount })
  const data = Type.Object({ n: Type.Integer() })
  defineEvent('N', { data, key: (event) => String(event.data.n) })
  // @ts-expect-error: no field of the data
  defineEvent('N', { data, key: (event) => event.data.m })
  // @ts-expect-error: an option that is none
  defineTopic('t', { events: [OrderCreated], key: null, partition: 12 })
  // @ts-expect-error: what a null value means in a compacted topic has to be said
  defineTopic('t', { events: [OrderCreated], key: null, compaction: true })
  defineTopic('t', { events: [OrderCreated], key: null, compaction: true, tombstones: 'handle' })
  // @ts-expect-error: no unit of time
  defineTopic('t', { key: null, retention: '7y' })
}

export function exhaustiveness(): void {
  type Handlers = HandlersOf<Orders, [attempt: number], Promise<void>>
  expectTypeOf<Handlers>().toHaveProperty('ORDER_CANCELLED')
  const all: Handlers = {
    ORDER_CREATED: async (event, attempt) => {
      expectTypeOf(event.data.totalAmount).toEqualTypeOf<number>()
      expectTypeOf(attempt).toEqualTypeOf<number>()
      await Promise.resolve()
    },
    ORDER_CANCELLED: () => Promise.resolve(),
  }
  // @ts-expect-error: an event without a handler
  const some: Handlers = { ORDER_CREATED: () => Promise.resolve() }
  const more: Handlers = {
    ...all,
    // @ts-expect-error: a handler without an event
    ORDER_SHIPPED: () => Promise.resolve(),
  }
  expectTypeOf([some, more]).toExtend<object[]>()
}

export function schemas(record: RawRecord): void {
  const Zod = defineEvent('ZOD', {
    data: z.object({ at: z.coerce.date(), note: z.string().default('') }),
    key: ({ data }) => data.note ?? null,
  })
  expectTypeOf<EventOf<typeof Zod>['data']>().toEqualTypeOf<{ at: Date; note: string }>()
  const Valibot = defineEvent('VALIBOT', { data: v.object({ n: v.optional(v.number(), 1) }) })
  expectTypeOf<EventOf<typeof Valibot>['data']>().toEqualTypeOf<{ n: number }>()
  const Ark = defineEvent('ARK', { data: ark({ name: 'string', 'age?': 'number' }) })
  expectTypeOf<EventOf<typeof Ark>['data']>().toEqualTypeOf<{ name: string; age?: number }>()
  const Declared = defineEvent('DECLARED', {
    data: jsonSchema<{ sku: string }>({ type: 'object', properties: { sku: { type: 'string' } } }),
    key: ({ data }) => data.sku,
  })
  expectTypeOf<EventOf<typeof Declared>['data']>().toEqualTypeOf<{ sku: string }>()
  const topic = defineTopic('t', { events: [Zod, Valibot, Ark, Declared], key: null })
  void encodeEvent(topic, Valibot, {}, options)
  void encodeEvent(topic, Zod, { at: '2026-01-31T12:00:00Z' }, options)
  // @ts-expect-error: what is written is what the schema takes, not what it makes of it
  void encodeEvent(topic, Valibot, { n: '1' }, options)
  // @ts-expect-error: the declared type counts
  void encodeEvent(topic, Declared, { sku: 1 }, options)

  const decoded = decodeRecord(topic, record)
  expectTypeOf(decoded).toExtend<Awaitable<object>>()
  if (decoded instanceof Promise || decoded.kind !== 'event') return
  expectTypeOf(decoded).toExtend<DecodedEvent<EventOf<typeof topic>>>()
  if (decoded.event.type === 'ZOD') expectTypeOf(decoded.event.data.at).toEqualTypeOf<Date>()

  const open = decodeRecord(defineTopic('open', {}), record)
  if (open instanceof Promise || open.kind !== 'event') return
  expectTypeOf(open.event.data).toEqualTypeOf<unknown>()
}

export function versions(): void {
  const first = Type.Object({ name: Type.String() })
  const newest = Type.Object({ first: Type.String(), last: Type.String() })
  defineEvent('RENAMED', {
    version: 2,
    data: newest,
    upcast: { 1: upcastFrom(first, ({ name }) => ({ first: name, last: '' })) },
  })
  defineEvent('RENAMED', {
    version: 2,
    data: newest,
    // @ts-expect-error: no field of the older version
    upcast: { 1: upcastFrom(first, ({ nam }) => ({ first: nam, last: '' })) },
  })
  // @ts-expect-error: an option that is none
  defineEvent('RENAMED', { versoin: 2, data: newest })
}
