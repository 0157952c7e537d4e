import { expect, it } from 'vitest'
import { z } from 'zod'
import { OrderCancelled, OrderCreated, orders } from './fixture/orders.ts'
import {
  bytesCodec,
  defineEvent,
  defineTopic,
  describeTopics,
  describeTopicsAsMarkdown,
  Type,
} from './index.ts'

const Renamed = defineEvent('USER_RENAMED', {
  data: z.object({ name: z.string() }),
  version: 2,
  key: ({ data }) => `\`${data.name}\``,
  upcast: { 1: () => ({ name: '' }) },
  description: 'Somebody has another name.',
})
const users = defineTopic('users_x_', {
  events: [Renamed],
  compaction: true,
  tombstones: 'handle',
  description: 'Who there is.',
})
const open = defineTopic('raw', { codec: bytesCodec })

it('describes all events with schemas, versions and keys as plain data', () => {
  const described = describeTopics([orders, users, open])
  expect(JSON.parse(JSON.stringify(described))).toEqual(described)
  expect(described).toMatchObject([
    {
      name: 'orders.events.v1',
      envelope: 'event',
      contentType: 'application/json',
      tombstones: 'refuse',
      partitions: 12,
      replicas: 3,
      config: { 'retention.ms': '604800000' },
      events: [
        {
          type: 'ORDER_CREATED',
          version: 1,
          versions: [1],
          key: 'topic',
          keyRule: '({ data }) => data.orderId',
          schema: OrderCreated.jsonSchema,
        },
        { type: 'ORDER_CANCELLED', schema: { type: 'object', required: ['orderId'] } },
      ],
    },
    {
      name: 'users_x_',
      description: 'Who there is.',
      tombstones: 'handle',
      events: [{ type: 'USER_RENAMED', version: 2, versions: [1, 2], key: 'event' }],
    },
    { name: 'raw', contentType: 'application/octet-stream', envelope: 'headers', events: [] },
  ])
  expect(described[1]?.events[0]).not.toHaveProperty('schema')
  const keyless = defineTopic('t', { events: [OrderCancelled], key: null })
  expect(describeTopics([keyless])[0]?.events[0]).toMatchObject({ key: null })
})

it('shows a JSON Schema that was given for a schema of code', () => {
  const Shown = defineEvent('SHOWN', { data: z.string(), jsonSchema: { type: 'string' } })
  const [topic] = describeTopics([defineTopic('t', { events: [Shown], key: null })])
  expect(topic?.events[0]?.schema).toEqual({ type: 'string' })
})

it('writes a page', () => {
  const page = describeTopicsAsMarkdown([users, open])
  expect(page).toMatch(/^# Topics\n\n## users\\_x\\_\n\nWho there is\.\n\n\| \| \|\n/)
  expect(page).toContain('| cleanup.policy | compact |')
  expect(page).toContain(
    '### USER\\_RENAMED\n\nSomebody has another name.\n\nVersion 2 (reads 1, 2);',
  )
  expect(page).toContain("key by the event's rule ``")
  expect(page).toContain('The schema is code.')
  expect(page).toContain('## raw\n\n| | |\n')
  expect(page).toContain('Anything may be in it.')
  const schema = describeTopicsAsMarkdown([
    defineTopic('t', { events: [defineEvent('N', { data: Type.Null() })], key: null }),
  ])
  expect(schema).toContain('no key, so no order.\n\n```json\n{\n  "type": "null"\n}\n```\n')
})

it('refuses what is no topic', () => {
  expect(() => describeTopics([{} as never])).toThrow('topics[0] (an object) must come from')
})
