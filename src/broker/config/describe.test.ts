import { describe, expect, it } from 'vitest'
import { createBrokerConfig } from './broker-config.ts'
import type { BrokerConfig } from './broker-config.ts'
import { brokerProperties } from './broker-properties.ts'
import {
  describeAllBrokers,
  describeBroker,
  describeGroup,
  describeNewTopic,
  describeTopic,
} from './describe.ts'
import type { ConfigEntry } from './describe.ts'

type Properties = Readonly<Record<string, string>>

interface Given {
  readonly properties?: Properties
  readonly described?: Properties
  /** Settings made at run time, by the name of a broker. */
  readonly dynamic?: Readonly<Record<string, Properties>>
}

const nodeId = 1

function brokerOf({ properties = {}, described = {}, dynamic = {} }: Given = {}): BrokerConfig {
  const config = createBrokerConfig({
    properties: new Map(Object.entries(properties)),
    nodeIds: [1, 2],
    described: () => new Map(Object.entries(described)),
  })
  config.reload({ dynamicSettings: (_, name) => new Map(Object.entries(dynamic[name] ?? {})) })
  return config
}

/** A property's value, its source and its synonyms, in the words of `kafka-configs`. */
function summary(entries: readonly ConfigEntry[], name: string) {
  const entry = entries.find((each) => each.name === name)
  return [
    entry?.value,
    entry?.source,
    entry?.synonyms.map((synonym) => `${synonym.name}=${synonym.value} ${synonym.source}`),
  ]
}

const noOverrides = new Map<string, string>()

describe('a topic is described', () => {
  it('with every property that is not internal, none of them read-only or sensitive', () => {
    const entries = describeTopic(noOverrides, brokerOf(), nodeId)
    expect(entries).toHaveLength(33)
    expect(entries.some(({ readOnly, sensitive }) => readOnly || sensitive)).toBe(false)
    expect(entries.every(({ typeCode }) => typeCode > 0)).toBe(true)
  })

  it('with an internal property only where it is set', () => {
    const overrides = new Map([['internal.segment.bytes', '1000']])
    const entries = describeTopic(overrides, brokerOf(), nodeId)
    expect(summary(entries, 'internal.segment.bytes')).toEqual([
      '1000',
      1,
      ['internal.segment.bytes=1000 1'],
    ])
  })

  it('in canonical form, whatever was written', () => {
    const overrides = new Map([
      ['retention.ms', ' 5 '],
      ['preallocate', 'TRUE'],
      ['cleanup.policy', ' compact , delete '],
    ])
    const entries = describeTopic(overrides, brokerOf(), nodeId)
    expect(summary(entries, 'retention.ms')).toEqual(['5', 1, ['retention.ms=5 1']])
    expect(summary(entries, 'preallocate')[0]).toBe('true')
    expect(summary(entries, 'cleanup.policy')).toEqual([
      'compact,delete',
      1,
      ['cleanup.policy=compact,delete 1', 'log.cleanup.policy=delete 5'],
    ])
  })

  it('with all layers that could give it its value, in order', () => {
    const broker = brokerOf({
      properties: { 'message.max.bytes': '1' },
      dynamic: { '': { 'message.max.bytes': '2' }, 1: { 'message.max.bytes': '3' } },
    })
    const entries = describeTopic(new Map([['max.message.bytes', '4']]), broker, nodeId)
    expect(summary(entries, 'max.message.bytes')).toEqual([
      '4',
      1,
      [
        'max.message.bytes=4 1',
        'message.max.bytes=3 2',
        'message.max.bytes=2 3',
        'message.max.bytes=1 4',
        'message.max.bytes=1048588 5',
      ],
    ])
  })

  it('without the hours behind its milliseconds, as by Kafka', () => {
    const inHours = brokerOf({ properties: { 'log.retention.hours': '200' } })
    const entries = describeTopic(noOverrides, inHours, nodeId)
    expect(summary(entries, 'retention.ms')).toEqual(['720000000', 5, []])
    const both = brokerOf({
      properties: { 'log.retention.hours': '200' },
      dynamic: { '': { 'log.retention.ms': '4000' } },
    })
    expect(summary(describeTopic(noOverrides, both, nodeId), 'retention.ms')).toEqual([
      '4000',
      3,
      ['log.retention.ms=4000 3', 'log.retention.hours=200 4', 'log.retention.hours=168 5'],
    ])
  })
})

describe('a new topic is described', () => {
  it('as it was written, with where the rest comes from', () => {
    const broker = brokerOf({
      properties: { 'log.retention.hours': '200' },
      dynamic: { '': { 'message.max.bytes': '2' } },
    })
    const entries = describeNewTopic(new Map([['cleanup.policy', ' compact ']]), broker, nodeId)
    const of = (name: string) => entries.find((entry) => entry.name === name)
    expect(of('cleanup.policy')).toMatchObject({ value: ' compact ', source: 1 })
    expect(of('retention.ms')).toMatchObject({ value: '720000000', source: 4 })
    expect(of('max.message.bytes')).toMatchObject({ value: '2', source: 3 })
    expect(of('flush.messages')).toMatchObject({ value: '9223372036854775807', source: 5 })
    expect(of('remote.storage.enable')).toMatchObject({ value: 'false', source: 5 })
  })
})

describe('a broker is described', () => {
  it('with every property that is not internal', () => {
    const shown = Object.entries(brokerProperties).filter(([, each]) => !('internal' in each))
    const names = describeBroker(brokerOf(), nodeId).map(({ name }) => name)
    expect(names).toEqual(shown.map(([name]) => name))
    expect(names.length).toBeGreaterThan(300)
  })

  it('with what is given, what is its own, and what can be changed', () => {
    const broker = brokerOf({
      properties: { 'num.partitions': '4' },
      described: { 'node.id': '1', 'log.dirs': '/data' },
    })
    const entries = describeBroker(broker, nodeId)
    expect(summary(entries, 'num.partitions')).toEqual([
      '4',
      4,
      ['num.partitions=4 4', 'num.partitions=1 5'],
    ])
    expect(summary(entries, 'node.id')).toEqual(['1', 4, ['node.id=1 4']])
    expect(summary(entries, 'log.dirs')).toEqual(['/data', 4, ['log.dirs=/data 4']])
    expect(summary(entries, 'log.retention.ms')).toEqual([null, 5, []])
    const readOnly = (name: string) => entries.find((entry) => entry.name === name)?.readOnly
    expect(readOnly('num.partitions')).toBe(true)
    expect(readOnly('message.max.bytes')).toBe(false)
    expect(readOnly('ssl.client.auth')).toBe(false)
  })

  it('with where the embedded broker differs from Kafka', () => {
    const entries = describeBroker(brokerOf(), nodeId)
    expect(summary(entries, 'group.initial.rebalance.delay.ms')).toEqual([
      '0',
      4,
      ['group.initial.rebalance.delay.ms=0 4', 'group.initial.rebalance.delay.ms=3000 5'],
    ])
  })

  it('with what is set on it, and not with what is set on another', () => {
    const broker = brokerOf({ dynamic: { 2: { 'message.max.bytes': '2' } } })
    expect(summary(describeBroker(broker, 1), 'message.max.bytes')[1]).toBe(5)
    expect(summary(describeBroker(broker, 2), 'message.max.bytes').slice(0, 2)).toEqual(['2', 2])
  })

  it('without showing a password, or what might be one', () => {
    const broker = brokerOf({
      described: { 'ssl.key.password': 'secret' },
      dynamic: { 1: { 'my.secret': 'secret' } },
    })
    const entries = describeBroker(broker, nodeId)
    expect(JSON.stringify(entries)).not.toContain('"secret"')
    expect(entries.find(({ name }) => name === 'my.secret')).toMatchObject({
      value: null,
      sensitive: true,
      readOnly: true,
      typeCode: 0,
    })
    expect(summary(entries, 'ssl.key.password')).toEqual([null, 4, ['ssl.key.password=null 4']])
  })
})

describe('all brokers are described', () => {
  it('with what is set on all, and nothing else', () => {
    const broker = brokerOf({
      properties: { 'message.max.bytes': '1' },
      dynamic: { '': { 'message.max.bytes': '2' }, 1: { 'log.retention.ms': '3' } },
    })
    const entries = describeAllBrokers(broker)
    expect(entries.map(({ name }) => name)).toEqual(['message.max.bytes'])
    expect(summary(entries, 'message.max.bytes')).toEqual(['2', 3, ['message.max.bytes=2 3']])
  })
})

describe('a group is described', () => {
  it('with what is set on it, and with the defaults of the broker', () => {
    const broker = brokerOf({
      properties: { 'group.consumer.heartbeat.interval.ms': '6000' },
    })
    const settings = new Map([['consumer.session.timeout.ms', '50000']])
    const entries = describeGroup(settings, broker)
    expect(summary(entries, 'consumer.session.timeout.ms')).toEqual([
      '50000',
      8,
      ['consumer.session.timeout.ms=50000 8'],
    ])
    expect(summary(entries, 'consumer.heartbeat.interval.ms')).toEqual([
      '6000',
      5,
      ['consumer.heartbeat.interval.ms=6000 5'],
    ])
    expect(entries).toHaveLength(10)
  })
})
