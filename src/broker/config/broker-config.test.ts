import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { createBrokerConfig } from './broker-config.ts'
import type { BrokerConfig } from './broker-config.ts'
import { brokerProperties } from './broker-properties.ts'
import { groupConfig } from './group-settings.ts'
import { transactionSettings } from './transaction-settings.ts'

type Properties = Readonly<Record<string, string>>

function configOf(properties: Properties = {}, nodeIds: readonly number[] = [1]): BrokerConfig {
  return createBrokerConfig({ properties: new Map(Object.entries(properties)), nodeIds })
}

/** Settings made at run time, by the name of a broker. */
function reload(config: BrokerConfig, settings: Readonly<Record<string, Properties>>): void {
  config.reload({ dynamicSettings: (_, name) => new Map(Object.entries(settings[name] ?? {})) })
}

function problemOf(properties: Properties): string {
  try {
    configOf(properties)
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_OPTION_INVALID')) return error.message
    throw error
  }
  return 'none'
}

describe('BrokerConfig', () => {
  it('has the defaults of Kafka', () => {
    expect(configOf()).toMatchObject({
      numPartitions: 1,
      autoCreateTopicsEnable: true,
      messageMaxBytes: 1_048_588,
      fetchMaxBytes: 57_671_680,
      groupConsumerAssignors: ['uniform', 'range'],
      compressionType: 'producer',
      logCleanerMinCleanableRatio: 0.5,
      logRetentionMs: null,
    })
  })

  it('differs from Kafka where that serves tests, and lets that be overruled', () => {
    expect(configOf()).toMatchObject({
      groupInitialRebalanceDelayMs: 0,
      offsetsTopicNumPartitions: 8,
      offsetsTopicReplicationFactor: 1,
    })
    expect(configOf({}, [1, 2, 3, 4]).offsetsTopicReplicationFactor).toBe(3)
    const likeKafka = configOf({
      'group.initial.rebalance.delay.ms': '3000',
      'offsets.topic.num.partitions': '50',
    })
    expect(likeKafka.groupInitialRebalanceDelayMs).toBe(3000)
    expect(likeKafka.offsetsTopicNumPartitions).toBe(50)
  })

  it('takes the properties that are given', () => {
    const config = configOf({ 'num.partitions': ' 4 ', 'auto.create.topics.enable': 'FALSE' })
    expect(config.numPartitions).toBe(4)
    expect(config.autoCreateTopicsEnable).toBe(false)
  })

  it('has an accessor for each property that is obeyed, and for no other', () => {
    const config = configOf() as unknown as Record<string, unknown>
    for (const [name, property] of Object.entries(brokerProperties)) {
      const accessor = name.replaceAll(/\.(.)/g, (_, letter: string) => letter.toUpperCase())
      expect([name, config[accessor] !== undefined]).toEqual([name, 'obeyed' in property])
    }
  })

  it.each([
    [{ 'num.partition': '4' }, /num\.partition .*num\.partitions/],
    [{ constructor: '4' }, /constructor is not a property/],
    [{ 'num.partitions': 'four' }, /num\.partitions \('four'\) must be a whole number/],
    [{ 'num.partitions': '0' }, /num\.partitions \('0'\) .* from 1 on/],
    [{ 'log.roll.ms': '0' }, /log\.roll\.ms \('0'\) .* from 1 on, as segment\.ms of topics/],
    [{ listeners: 'PLAINTEXT://:9092' }, /listeners .*own options/],
    [{ 'ssl.keystore.location': '/x' }, /ssl\.keystore\.location is about security/],
    [{ 'listener.name.x.sasl.jaas.config': '' }, /about security/],
    [{ 'authorizer.class.name': 'x' }, /authorizer\.class\.name names a Java class/],
    [{ 'create.topic.policy.class.name': 'x' }, /names a Java class/],
    [
      { 'group.min.session.timeout.ms': '9', 'group.max.session.timeout.ms': '8' },
      /group\.min\.session\.timeout\.ms \(9\) must not exceed group\.max\.session\.timeout\.ms \(8\)/,
    ],
    [{ 'group.consumer.session.timeout.ms': '1' }, /must not exceed/],
  ])('refuses %o', (properties, problem) => {
    expect(problemOf(properties as Properties)).toMatch(problem)
  })

  it('tells what is given in vain', () => {
    const config = configOf({ 'num.io.threads': '3', 'num.partitions': '4' })
    expect(config.withoutEffect()).toEqual(['num.io.threads'])
  })

  it('obeys one broker before all brokers before what was given', () => {
    const config = configOf({ 'message.max.bytes': '1' }, [1, 2, 3])
    expect(config.messageMaxBytes).toBe(1)
    reload(config, { '': { 'message.max.bytes': '2' } })
    expect(config.messageMaxBytes).toBe(2)
    reload(config, { '': { 'message.max.bytes': '2' }, 3: { 'message.max.bytes': '3' } })
    expect(config.messageMaxBytes).toBe(3)
    reload(config, { 2: { 'message.max.bytes': '4' }, 3: { 'message.max.bytes': '3' } })
    expect(config.messageMaxBytes).toBe(4)
    reload(config, {})
    expect(config.messageMaxBytes).toBe(1)
  })

  it('passes over what was stored and is not allowed', () => {
    const config = configOf({ 'message.max.bytes': '1' })
    reload(config, { 1: { 'message.max.bytes': 'much' }, '': { 'message.max.bytes': '-2' } })
    expect(config.messageMaxBytes).toBe(1)
  })

  it('gives groups and transactions their settings as they are at the moment', () => {
    const config = configOf({
      'offsets.retention.minutes': '2',
      'group.consumer.migration.policy': 'Upgrade',
      'transaction.max.timeout.ms': '7',
    })
    expect(groupConfig(config)).toMatchObject({
      offsetsRetentionMs: 120_000,
      consumerMigration: 'upgrade',
      initialRebalanceDelayMs: 0,
    })
    const transactions = transactionSettings(config, () => 1)
    expect(transactions).toMatchObject({
      maxTimeoutMs: 7,
      idExpirationMs: 604_800_000,
      abortTimedOutIntervalMs: 10_000,
      removeExpiredIntervalMs: 3_600_000,
      verifiesPartitions: true,
      addPartitionsWaitMsMax: 100,
      transactionVersion: 1,
    })
    reload(config, { '': { 'transaction.partition.verification.enable': 'false' } })
    expect(transactions.verifiesPartitions).toBe(false)
  })
})
