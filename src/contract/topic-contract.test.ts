import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OptionError } from '../errors.ts'
import { OrderCancelled, OrderCreated, orders } from './fixture/orders.ts'
import {
  checkTopicName,
  deadLetterTopicName,
  defineEvent,
  defineTopic,
  kindNaming,
  poisonTopicName,
  retryTopicName,
  Type,
} from './index.ts'
import { durationMs } from './duration.ts'

describe('what a topic is set up with', () => {
  it('is said by its contract', () => {
    expect(orders.settings).toEqual({
      partitions: 12,
      replicas: 3,
      config: { 'retention.ms': '604800000', 'min.insync.replicas': '2' },
    })
    expect([...orders.events.keys()]).toEqual(['ORDER_CREATED', 'ORDER_CANCELLED'])
    expect(orders.hasKey).toBe(true)
    expect(orders.isOpen).toBe(false)
  })

  it('is left to the cluster where it says nothing', () => {
    const { settings, limits } = defineTopic('t', {})
    expect(settings).toEqual({ partitions: undefined, replicas: undefined, config: {} })
    expect(limits).toEqual({ valueBytesMax: 1_048_588, depthMax: 100, duplicateKeys: 'last' })
  })

  it.each([
    [{ compaction: true, tombstones: 'handle' }, { 'cleanup.policy': 'compact' }],
    [
      { compaction: true, tombstones: 'handle', retention: '1d' },
      { 'cleanup.policy': 'compact,delete', 'retention.ms': '86400000' },
    ],
    [
      { compaction: true, tombstones: 'skip', retention: 'forever' },
      { 'cleanup.policy': 'compact', 'retention.ms': '-1' },
    ],
    [
      { compaction: false, retention: 5_000 },
      { 'cleanup.policy': 'delete', 'retention.ms': '5000' },
    ],
    [{ maxMessageBytes: 4_000_000 }, { 'max.message.bytes': '4000000' }],
    [{ config: { 'segment.ms': '1' } }, { 'segment.ms': '1' }],
  ] as const)('is written as Kafka has it: %j', (options, config) => {
    expect(defineTopic('t', options).settings.config).toEqual(config)
  })

  it('limits values to what a batch may be', () => {
    expect(defineTopic('t', { maxMessageBytes: 5_000 }).limits.valueBytesMax).toBe(5_000)
    const limits = { valueBytesMax: 100 }
    expect(defineTopic('t', { maxMessageBytes: 5_000, limits }).limits.valueBytesMax).toBe(100)
  })
})

describe('a topic is refused', () => {
  const define =
    (options: object, name: unknown = 't') =>
    () =>
      defineTopic(name as string, options as never)

  it.each([
    [
      { partitoins: 3 },
      "defineTopic('t').partitoins is not an option; did you mean defineTopic('t').partitions?",
    ],
    [{ partitions: 0 }, "defineTopic('t').partitions (0) must be a whole number from 1"],
    [{ partitions: '3' }, "('3') must be a whole number"],
    [{ replicas: 2, minInSyncReplicas: 3 }, '(3) must not exceed replicas (2)'],
    [{ retention: '7 days' }, "retention ('7 days') must be milliseconds, or"],
    [{ retention: 0 }, 'retention (0) must be milliseconds'],
    [{ compaction: true }, 'tombstones is missing: in a compacted topic'],
    [{ tombstones: 'delete' }, "('delete') must be one of 'refuse', 'skip', 'handle'"],
    [{ envelope: 'json' }, "('json') must be one of 'event', 'headers'"],
    [
      { limits: { depth: 3 } },
      'limits.depth is not an option; known are valueBytesMax, depthMax, duplicateKeys',
    ],
    [{ limits: { depthMax: 0 } }, 'limits.depthMax (0) must be'],
    [{ limits: { duplicateKeys: 'first' } }, "('first') must be one of 'last', 'refuse'"],
    [{ events: [{}] }, 'events[0] (an object) must come from defineEvent'],
    [{ events: [OrderCreated], key: 'orderId' }, "key ('orderId') must be a function or null"],
    [
      { events: [OrderCreated, OrderCancelled, OrderCreated], key: null },
      'events[2] is the second',
    ],
  ])('with %j', (options, message) => {
    expect(define(options)).toThrow(OptionError)
    expect(define(options)).toThrow(message)
  })

  it('when nothing is said of its key', () => {
    const Keyed = defineEvent('KEYED', { data: Type.String(), key: ({ data }) => data })
    expect(define({ events: [OrderCreated, Keyed] })).toThrow(
      'key is missing, and ORDER_CREATED has none either; records without a key have no order',
    )
    expect(define({ events: [Keyed] })).not.toThrow()
    expect(defineTopic('t', { events: [OrderCreated], key: null }).hasKey).toBe(false)
  })

  it.each([
    ['', 'must consist of letters'],
    ['.', 'must consist of letters'],
    ['..', 'must consist of letters'],
    ['a b', 'must consist of letters'],
    ['grüße', 'must consist of letters'],
    [7, 'must consist of letters'],
    ['x'.repeat(250), 'at most 249'],
    ['__consumer_offsets', "must not begin with '__'"],
  ])('with the name %j', (name, message) => {
    expect(define({}, name)).toThrow(message)
  })
})

describe('an event is refused', () => {
  it.each([
    ['', {}, "defineEvent.type ('')"],
    ['a b', {}, 'without spaces'],
    ['x'.repeat(201), {}, '1 to 200 characters'],
    ['E', { data: Type.Null(), schema: 1 }, 'schema is not an option'],
    ['E', { data: Type.Null(), version: 0 }, 'version (0) must be a whole number from 1'],
    ['E', { data: Type.Null(), version: 1.5 }, 'version (1.5)'],
    ['E', {}, "defineEvent('E').data must be a TypeBox schema"],
  ])('%j with %j', (type, options, message) => {
    expect(() => defineEvent(type, options as never)).toThrow(OptionError)
    expect(() => defineEvent(type, options as never)).toThrow(message)
  })
})

describe('names of topics', () => {
  it('follow the rule of an organisation', () => {
    const naming = kindNaming(['events', 'commands'])
    for (const name of ['orders.events.v1', 'billing.in-voices.commands.v12']) {
      expect(defineTopic(name, { naming }).name).toBe(name)
    }
    for (const name of [
      'orders',
      'orders.events',
      'Orders.events.v1',
      'orders.event.v1',
      'orders.events.v0',
      'events.v1',
    ]) {
      expect(() => defineTopic(name, { naming })).toThrow(
        `('${name}') must be <domain>.<events or commands>.v<version>, in lower case`,
      )
    }
  })

  it('of the topics beside one are made of its name, and are names', () => {
    expect(deadLetterTopicName('orders.events.v1')).toBe('orders.events.v1.dlq')
    expect(poisonTopicName('orders.events.v1')).toBe('orders.events.v1.dlq-poison')
    expect(retryTopicName('orders.events.v1', 'bill ing/1', '30s')).toBe(
      'orders.events.v1.bill-ing-1.retry.30s',
    )
    checkTopicName(retryTopicName('o', 'gruppe ü', '5m'), 'name')
  })
})

it('durations are read with their unit', () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
      (count, unit) => {
        expect(durationMs(`${count}${unit}`, 'o')).toBe(count * units[unit])
        expect(durationMs(count, 'o')).toBe(count)
      },
    ),
    { seed: 5 },
  )
  for (const wrong of [
    '',
    '7',
    'd',
    '-1d',
    '1.5h',
    '0s',
    '7D',
    ' 7d',
    '9007199254740993ms',
    NaN,
    null,
  ]) {
    expect(() => durationMs(wrong, 'o')).toThrow(OptionError)
  }
})
