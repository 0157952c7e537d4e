import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { EncodedRecord } from '../src/contract/index.ts'
import { topicOptionNames } from '../src/contract/topic-options.ts'
import { RecordBatch, RecordBatchBuilder } from '../src/protocol/records/index.ts'
// #region events
import { defineEvent, defineTopic, Type } from '../src/contract/index.ts'

export const OrderCreated = defineEvent('ORDER_CREATED', {
  data: Type.Object({
    orderId: Type.String(),
    userId: Type.String(),
    totalAmount: Type.Number({ minimum: 0 }),
  }),
})

export const OrderCancelled = defineEvent('ORDER_CANCELLED', {
  data: Type.Object({ orderId: Type.String(), reason: Type.Optional(Type.String()) }),
})

export const orders = defineTopic('orders.events.v1', {
  events: [OrderCreated, OrderCancelled],
  key: ({ data }) => data.orderId,
  partitions: 12,
  replicas: 3,
  minInSyncReplicas: 2,
  retention: '7d',
})
// #endregion
// #region union
import type { EventOf } from '../src/contract/index.ts'

function amountOf(event: EventOf<typeof orders>): number {
  return event.type === 'ORDER_CREATED' ? event.data.totalAmount : 0
}
// #endregion
// #region schemas
import { jsonSchema } from '../src/contract/index.ts'

// A JSON Schema from a file or another team, and the type that it describes.
export const StockCounted = defineEvent('STOCK_COUNTED', {
  data: jsonSchema<{ sku: string; count: number }>({
    type: 'object',
    required: ['sku', 'count'],
    properties: { sku: { type: 'string' }, count: { type: 'integer' } },
  }),
})

// Zod, as any other Standard Schema. What is written is what it takes, what a handler gets is what
// it makes of that: here text becomes a Date.
export const ParcelSent = defineEvent('PARCEL_SENT', {
  data: z.object({ orderId: z.string(), sentAt: z.iso.datetime().pipe(z.coerce.date()) }),
  key: ({ data }) => data.orderId,
})
// #endregion
// #region versions
import { upcastFrom } from '../src/contract/index.ts'

const UserRenamedV1 = Type.Object({ userId: Type.String(), name: Type.String() })

export const UserRenamed = defineEvent('USER_RENAMED', {
  version: 2,
  data: Type.Object({ userId: Type.String(), first: Type.String(), last: Type.String() }),
  upcast: {
    1: upcastFrom(UserRenamedV1, ({ userId, name }) => {
      const [first = '', ...rest] = name.split(' ')
      return { userId, first, last: rest.join(' ') }
    }),
  },
})
// #endregion
// #region cloudevents
export const partnerOrders = defineTopic('partner.orders.events.v1', {
  events: [OrderCreated],
  key: ({ data }) => data.orderId,
  envelope: 'cloudevents',
})
// #endregion
// #region tombstones
export const users = defineTopic('users.state.v1', {
  events: [UserRenamed],
  key: ({ data }) => data.userId,
  compaction: true,
  tombstones: 'handle',
})
// #endregion
// #region naming
import { kindNaming } from '../src/contract/index.ts'

const naming = kindNaming(['events', 'commands'])

export const shipments = defineTopic('shipping.parcels.events.v1', {
  events: [ParcelSent],
  naming,
})
// #endregion
// #region codec
import type { Codec } from '../src/contract/index.ts'
import { ContractViolation } from '../src/contract/index.ts'

/** Numbers, eight bytes each. */
const doubles: Codec = {
  contentType: 'application/x-doubles',
  isJson: false,
  encode: (value) => Buffer.from(Float64Array.from(value as number[]).buffer),
  decode(bytes) {
    if (bytes.length % 8 !== 0) throw new ContractViolation('envelope', 'is cut off')
    return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(index * 8))
  },
}

export const Measured = defineEvent('MEASURED', { data: Type.Array(Type.Number()) })
export const measurements = defineTopic('measurements', {
  events: [Measured],
  key: null,
  codec: doubles,
})
// #endregion
// #region hand
import { contextOf, createEventIds, decodeRecord, encodeEvent } from '../src/contract/index.ts'
import type { RawRecord } from '../src/contract/index.ts'
import { createNodePlatform } from '../src/platform/index.ts'

const { clock, random } = createNodePlatform()
const nextId = createEventIds(clock, random)

// What `producer.send` of the client takes.
const record = await encodeEvent(
  orders,
  OrderCreated,
  { orderId: 'o-1', userId: 'u-1', totalAmount: 39 },
  { id: nextId(), timestamp: clock.now(), source: 'checkout' },
)

// What a consumer of the client hands out goes in as it is.
async function cancel(received: RawRecord) {
  const decoded = await decodeRecord(orders, received)
  if (decoded.kind !== 'event') return undefined
  const { orderId } = decoded.event.data
  const context = contextOf(received, decoded.event.id)
  const options = { id: nextId(), timestamp: clock.now(), source: 'fraud', context }
  return encodeEvent(orders, OrderCancelled, { orderId, reason: 'fraud' }, options)
}
// #endregion
// #region describe
import { describeTopics, describeTopicsAsMarkdown } from '../src/contract/index.ts'

const json = JSON.stringify(describeTopics([orders, users, shipments]), undefined, 2)
const page = describeTopicsAsMarkdown([orders, users, shipments])
// #endregion

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/contracts.md')

/** The code of this file between its marks, as a user would write it. */
function regions(): string[] {
  const code = read('test/contracts-guide.test.ts')
    .replaceAll("'../src/contract/index.ts'", "'millrace/contract'")
    .replaceAll("'../src/platform/index.ts'", "'millrace/platform'")
  return [...code.matchAll(/^\/\/ #region \w+\n(.*?)^\/\/ #endregion$/gms)].map(
    ([, body = '']) => body,
  )
}

it('the guide has the code that runs here, and no other', () => {
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, body = '']) => body)
  expect(blocks.length).toBeGreaterThan(5)
  expect(blocks).toEqual(regions())
})

/** A record as the client reads it, from the bytes of a batch. */
function received({ key, value, timestamp, headers }: EncodedRecord): RawRecord {
  const builder = new RecordBatchBuilder()
  const pairs = headers.map(([name, content]) => ({ key: name, value: content }))
  builder.append({ key, value, timestamp, headers: pairs })
  const batch = RecordBatch.at(builder.build())
  return batch.records(2 ** 20).next() as RawRecord
}

it('an event is written, read, and answered by one that names its cause', async () => {
  expect(record).toMatchObject({ topic: 'orders.events.v1', key: 'o-1' })
  const decoded = await decodeRecord(orders, received(record))
  expect(decoded).toMatchObject({ kind: 'event', contract: OrderCreated })
  if (decoded.kind === 'event') expect(amountOf(decoded.event)).toBe(39)
  const answer = await cancel(received(record))
  const headers = Object.fromEntries(answer?.headers ?? [])
  expect(headers['correlation-id']).toBe(headers['causation-id'])
  expect(record.headers).toContainEqual(['correlation-id', headers['causation-id']])
})

it('schemas, versions and codecs do what the guide says', async () => {
  const options = { id: 'i', timestamp: 0 }
  const sent = { orderId: 'o', sentAt: '2026-01-31T12:00:00Z' }
  const parcel = await encodeEvent(shipments, ParcelSent, sent, options)
  expect(parcel.value).toContain('"sentAt":"2026-01-31T12:00:00Z"')
  expect(await decodeRecord(shipments, received(parcel))).toMatchObject({
    event: { data: { sentAt: new Date('2026-01-31T12:00:00Z') } },
  })
  const older = JSON.stringify({
    type: 'USER_RENAMED',
    data: { userId: 'u', name: 'Ada King Noel' },
  })
  const user = { topic: '', key: 'u', value: older, timestamp: 0, headers: [] }
  expect(await decodeRecord(users, received(user))).toMatchObject({
    event: { data: { first: 'Ada', last: 'King Noel' } },
  })
  const measured = await encodeEvent(measurements, Measured, [1.5, -2], options)
  expect(await decodeRecord(measurements, received(measured))).toMatchObject({
    event: { data: [1.5, -2] },
  })
  const stock = defineTopic('stock', { events: [StockCounted], key: ({ data }) => data.sku })
  expect(await encodeEvent(stock, StockCounted, { sku: 's', count: 1 }, options)).toMatchObject({
    key: 's',
  })
  const partner = await encodeEvent(
    partnerOrders,
    OrderCreated,
    { orderId: 'o', userId: 'u', totalAmount: 1 },
    { ...options, source: '/shop' },
  )
  expect(partner.headers).toContainEqual(['ce_source', '/shop'])
  expect(json).toContain('"PARCEL_SENT"')
  expect(page).toContain('## shipping.parcels.events.v1')
})

it('the guide has every option and every limit', () => {
  const options = read('src/contract/topic-options.ts') + read('src/contract/event-contract.ts')
  const names = [
    ...topicOptionNames,
    ...membersOf(options, 'EventOptions<Type extends string, Schema extends EventSchema>'),
    ...membersOf(read('src/contract/codec/codec.ts'), 'ContractLimits'),
    ...membersOf(read('src/contract/encode-event.ts'), 'EncodeOptions'),
  ]
  expect(names.length).toBeGreaterThan(25)
  expect(names.filter((name) => !guide.includes(`| \`${name}\``))).toEqual([])
})

function membersOf(code: string, name: string): string[] {
  const start = code.indexOf(`export interface ${name} {`)
  expect(start).toBeGreaterThan(-1)
  const body = code.slice(start, code.indexOf('\n}', start))
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member)
}
