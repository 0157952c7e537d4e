import { describe, expect, it } from 'vitest'
import { defaultLogConfig } from '../log/log-config.ts'
import { createBrokerConfig } from './broker-config.ts'
import { TopicConfig, topicText } from './topic-config.ts'

type Properties = Readonly<Record<string, string>>

const hourMs = 3_600_000
const minuteMs = 60_000

function configOf(overrides: Properties, ofBroker: Properties = {}): TopicConfig {
  const properties = new Map(Object.entries(ofBroker))
  const broker = createBrokerConfig({ properties, nodeIds: [1] })
  return new TopicConfig(new Map(Object.entries(overrides)), broker)
}

describe('TopicConfig', () => {
  it('has the defaults of a log, and of Kafka', () => {
    expect(configOf({})).toMatchObject(defaultLogConfig)
    expect(configOf({})).toMatchObject({ cleanupPolicy: ['delete'], minInsyncReplicas: 1 })
  })

  it('takes what is set on the topic before what is set on the broker', () => {
    const ofBroker = { 'message.max.bytes': '2', 'log.cleanup.policy': 'compact' }
    expect(configOf({}, ofBroker)).toMatchObject({
      maxMessageBytes: 2,
      compacted: true,
      deleted: false,
    })
    const overrides = { 'max.message.bytes': ' 1 ', 'cleanup.policy': 'delete,compact' }
    expect(configOf(overrides, ofBroker)).toMatchObject({
      maxMessageBytes: 1,
      compacted: true,
      deleted: true,
    })
  })

  it('neither compacts nor deletes under an empty policy', () => {
    expect(configOf({ 'cleanup.policy': '' })).toMatchObject({ compacted: false, deleted: false })
  })

  it.each<[Properties, number]>([
    [{}, 168 * hourMs],
    [{ 'log.retention.hours': '2' }, 2 * hourMs],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '3' }, 3 * minuteMs],
    [{ 'log.retention.minutes': '3', 'log.retention.ms': '4' }, 4],
    [{ 'log.retention.hours': '-1' }, -1],
    [{ 'log.retention.ms': '-5' }, -1],
  ])('takes the finest unit of retention: %o', (ofBroker, retentionMs) => {
    expect(configOf({}, ofBroker).retentionMs).toBe(retentionMs)
  })

  it('takes the finest unit of rolling', () => {
    expect(configOf({}, { 'log.roll.hours': '2' }).segmentMs).toBe(2 * hourMs)
    expect(configOf({}, { 'log.roll.hours': '2', 'log.roll.ms': '5' }).segmentMs).toBe(5)
  })

  it('passes over what the broker has and topics do not allow', () => {
    const broker = createBrokerConfig({ nodeIds: [1] })
    broker.reload({
      dynamicSettings: (_, name) => new Map(name === '' ? [['log.roll.ms', '0']] : []),
    })
    expect(new TopicConfig(new Map(), broker).segmentMs).toBe(168 * hourMs)
  })

  it('allows small segments under the internal name', () => {
    expect(configOf({ 'internal.segment.bytes': '100' }).segmentBytes).toBe(100)
  })

  it('passes over what was stored and is not allowed', () => {
    expect(configOf({ 'retention.ms': 'soon' }, { 'log.retention.ms': '4' }).retentionMs).toBe(4)
  })

  it('keeps every digit of a number when it writes it', () => {
    const broker = createBrokerConfig({ nodeIds: [1] })
    expect(topicText('flush.messages', new Map(), broker)).toBe('9223372036854775807')
    expect(topicText('compression.zstd.level', new Map(), broker)).toBe('3')
    expect(topicText('local.retention.ms', new Map(), broker)).toBe('-2')
    expect(topicText('internal.segment.bytes', new Map(), broker)).toBeNull()
  })
})
