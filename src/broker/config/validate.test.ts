import { describe, expect, it } from 'vitest'
import { createBrokerConfig } from './broker-config.ts'
import {
  refuseBrokerConfigs,
  refuseClientMetricsConfigs,
  refuseGroupConfigs,
  refuseTopicConfigs,
} from './validate.ts'

type Properties = Readonly<Record<string, string>>

function settings(properties: Properties): ReadonlyMap<string, string> {
  return new Map(Object.entries(properties))
}

function brokerOf(properties: Properties = {}) {
  return createBrokerConfig({ properties: settings(properties), nodeIds: [1] })
}

describe('what is set on a topic', () => {
  it.each<Properties>([
    {},
    { 'retention.ms': '-1', 'cleanup.policy': 'compact,delete' },
    { 'leader.replication.throttled.replicas': '*' },
    { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '10' },
  ])('may be %o', (properties) => {
    expect(refuseTopicConfigs(settings(properties), brokerOf())).toBeUndefined()
  })

  it.each<[Properties, RegExp]>([
    [{ nope: '1' }, /^nope is not a topic property$/],
    [
      { 'retention.ms': 'soon' },
      /^retention\.ms \('soon'\) must be a whole number of 64 bits from -1 on$/,
    ],
    [
      { 'cleanup.policy': 'shred' },
      /^cleanup\.policy \('shred'\) must be a list of compact, delete$/,
    ],
    [{ 'segment.bytes': '1000' }, /from 1048576 on/],
    [{ 'compression.gzip.level': '0' }, /from 1 to 9, or -1/],
    [{ 'remote.storage.enable': ' TRUE ' }, /tiered storage/],
    [
      { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' },
      /^min\.compaction\.lag\.ms \(10\) must not exceed max\.compaction\.lag\.ms \(5\)$/,
    ],
  ])('may not be %o', (properties, message) => {
    const refusal = refuseTopicConfigs(settings(properties), brokerOf())
    expect(refusal?.error).toBe('INVALID_CONFIG')
    expect(refusal?.message).toMatch(message)
  })

  it('is checked together with what the broker adds to it', () => {
    const broker = brokerOf({ 'log.cleaner.max.compaction.lag.ms': '5' })
    const refusal = refuseTopicConfigs(settings({ 'min.compaction.lag.ms': '10' }), broker)
    expect(refusal?.error).toBe('INVALID_CONFIG')
    expect(refuseTopicConfigs(settings({}), broker)).toBeUndefined()
  })

  it('is not blamed for what the broker has alone', () => {
    const broker = brokerOf({
      'log.cleaner.min.compaction.lag.ms': '10',
      'log.cleaner.max.compaction.lag.ms': '5',
    })
    expect(refuseTopicConfigs(settings({ 'retention.ms': '1' }), broker)).toBeUndefined()
  })
})

describe('what is set on a broker', () => {
  it.each(['one', 'all'] as const)('may be what changes at run time (%s)', (scope) => {
    const properties = { 'message.max.bytes': '1', 'log.retention.ms': '-1', 'my.plug-in': 'x' }
    expect(refuseBrokerConfigs(settings(properties), scope)).toBeUndefined()
  })

  it('may be what is about Kerberos, which this broker does not have', () => {
    const properties = { 'sasl.kerberos.min.time.before.relogin': '58000' }
    expect(refuseBrokerConfigs(settings(properties), 'one')).toBeUndefined()
  })

  it.each([
    [{ 'num.partitions': '2' }, 'one'],
    [{ 'log.retention.hours': '2' }, 'one'],
    [{ 'message.max.bytes': 'much' }, 'one'],
    [{ 'log.roll.ms': '0' }, 'one'],
    [{ listeners: 'x' }, 'one'],
    [{ 'ssl.keystore.location': 'x' }, 'one'],
    [{ 'sasl.enabled.mechanisms': 'PLAIN' }, 'one'],
    [{ 'sasl.kerberos.min.time.before.relogin': 'soon' }, 'one'],
    [{ 'sasl.kerberos.min.time.before.relogin': '58000' }, 'all'],
    [{ 'listener.name.x.ssl.keystore.location': 'x' }, 'one'],
    [{ 'principal.builder.class': 'x' }, 'all'],
  ] as const)('may not be %o (%s)', (properties, scope) => {
    const refusal = refuseBrokerConfigs(settings(properties), scope)
    expect(refusal?.error).toBe('INVALID_REQUEST')
  })
})

describe('what is set on a group', () => {
  it.each<Properties>([
    {},
    { 'consumer.session.timeout.ms': '50000', 'consumer.heartbeat.interval.ms': '10000' },
    { 'share.auto.offset.reset': 'by_duration:PT1H' },
  ])('may be %o', (properties) => {
    expect(refuseGroupConfigs(settings(properties), brokerOf())).toBeUndefined()
  })

  it.each<Properties>([
    { nope: '1' },
    { 'consumer.session.timeout.ms': '44999' },
    { 'consumer.session.timeout.ms': '60001' },
    { 'consumer.heartbeat.interval.ms': '15001' },
    { 'streams.num.standby.replicas': '3' },
    { 'share.isolation.level': 'READ_COMMITTED' },
  ])('may not be %o', (properties) => {
    const refusal = refuseGroupConfigs(settings(properties), brokerOf())
    expect(refusal?.error).toBe('INVALID_CONFIG')
  })

  it('may not have members heard of more rarely than they time out', () => {
    const broker = brokerOf({
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.session.timeout.ms': '8000',
    })
    const shorter = settings({ 'consumer.session.timeout.ms': '4000' })
    expect(refuseGroupConfigs(shorter, broker)?.error).toBe('INVALID_CONFIG')
  })
})

describe('a subscription of metrics', () => {
  it('is checked by name and value', () => {
    const good = settings({ 'interval.ms': '100', match: 'client_id=x', metrics: '*' })
    expect(refuseClientMetricsConfigs(good)).toBeUndefined()
    expect(refuseClientMetricsConfigs(settings({ nope: '1' }))?.error).toBe('INVALID_REQUEST')
    expect(refuseClientMetricsConfigs(settings({ 'interval.ms': '5' }))?.error).toBe(
      'INVALID_REQUEST',
    )
    expect(refuseClientMetricsConfigs(settings({ 'interval.ms': 'x' }))?.error).toBe(
      'INVALID_CONFIG',
    )
  })
})
