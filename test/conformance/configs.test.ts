import { expect } from 'vitest'
import {
  alterConfigsApi,
  describeConfigsApi,
  incrementalAlterConfigsApi,
  metadataApi,
} from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'

const topicResource = 2
const brokerResource = 4
const source = { topic: 1, default: 5 }
const operation = { set: 0, delete: 1, append: 2, subtract: 3 }

async function describe(
  port: Port,
  resourceType: number,
  resourceName: string,
  configurationKeys: string[] | null = null,
) {
  const client = await port.any()
  const response = await client.request(describeConfigsApi, 4, {
    resources: [{ resourceType, resourceName, configurationKeys }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  return response.results[0]
}

async function configOf(port: Port, topic: string, name: string) {
  const result = await describe(port, topicResource, topic)
  return result?.configs.find((config) => config.name === name)
}

/** Changes one configuration of a topic; answers the error code. */
async function alter(
  port: Port,
  topic: string,
  configOperation: number,
  name: string,
  value: string | null,
): Promise<number | undefined> {
  const client = await port.any()
  const response = await client.request(incrementalAlterConfigsApi, 1, {
    resources: [
      {
        resourceType: topicResource,
        resourceName: topic,
        configs: [{ name, configOperation, value }],
      },
    ],
    validateOnly: false,
  })
  return response.responses[0]?.errorCode
}

async function untilConfig(
  port: Port,
  topic: string,
  name: string,
  value: string | undefined,
): Promise<void> {
  await port.eventually(`${name} is ${value}`, async () => {
    return (await configOf(port, topic, name))?.value === value ? true : undefined
  })
}

conformance('configurations', {
  'a topic describes its own values and defaults, each with its source and type': async (port) => {
    const { name } = await port.topic({ configs: { 'retention.ms': '5000' } })
    const own = await configOf(port, name, 'retention.ms')
    expect(own).toMatchObject({ value: '5000', readOnly: false, isSensitive: false })
    expect(own?.configSource).toBe(source.topic)
    expect(own?.synonyms[0]).toMatchObject({ name: 'retention.ms', value: '5000', source: 1 })
    expect(own?.configType).toBe(5)
    const other = await configOf(port, name, 'cleanup.policy')
    expect(other?.configSource).toBe(source.default)
    expect(other?.value).toBe('delete')
    expect(other?.configType).toBe(7)
  },

  'each value has its documentation, when asked for': async (port) => {
    const { name } = await port.topic()
    const asked = await describe(port, topicResource, name)
    const short = asked?.configs.filter(({ documentation }) => (documentation ?? '').length < 20)
    expect(short?.map((config) => config.name)).toEqual([])
    const client = await port.any()
    const unasked = await client.request(describeConfigsApi, 4, {
      resources: [{ resourceType: topicResource, resourceName: name, configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    expect(unasked.results[0]?.configs.every((config) => config.documentation === null)).toBe(true)
  },

  'a default names the broker property it comes from as its synonym': async (port) => {
    const { name } = await port.topic()
    const config = await configOf(port, name, 'max.message.bytes')
    expect(config?.synonyms.map((synonym) => synonym.name)).toContain('message.max.bytes')
  },

  'only the asked for configurations are described': async (port) => {
    const { name } = await port.topic()
    const result = await describe(port, topicResource, name, ['retention.ms', 'segment.bytes'])
    const names = result?.configs.map((config) => config.name).sort()
    expect(names).toEqual(['retention.ms', 'segment.bytes'])
    const none = await describe(port, topicResource, name, ['no.such.config'])
    expect(none?.configs).toEqual([])
  },

  'all of Kafka 3.9 can be configured': async (port) => {
    const { name } = await port.topic()
    const result = await describe(port, topicResource, name)
    const names = result?.configs.map((config) => config.name) ?? []
    expect(names).toEqual(
      expect.arrayContaining([
        'cleanup.policy',
        'compression.type',
        'delete.retention.ms',
        'file.delete.delay.ms',
        'flush.messages',
        'flush.ms',
        'index.interval.bytes',
        'max.compaction.lag.ms',
        'max.message.bytes',
        'message.timestamp.after.max.ms',
        'message.timestamp.before.max.ms',
        'message.timestamp.type',
        'min.cleanable.dirty.ratio',
        'min.compaction.lag.ms',
        'min.insync.replicas',
        'preallocate',
        'retention.bytes',
        'retention.ms',
        'segment.bytes',
        'segment.index.bytes',
        'segment.jitter.ms',
        'segment.ms',
        'unclean.leader.election.enable',
      ]),
    )
  },

  'a missing topic is unknown, an invalid one INVALID_TOPIC_EXCEPTION': async (port) => {
    const missing = await describe(port, topicResource, port.name('missing'))
    expectError(missing?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
    const invalid = await describe(port, topicResource, 'not a name')
    expectError(invalid?.errorCode, 'INVALID_TOPIC_EXCEPTION')
  },

  'a broker describes its properties, and which are read only': async (port) => {
    const client = await port.any()
    const { brokers } = await client.request(metadataApi, 12, { topics: [] })
    const result = await describe(port, brokerResource, String(brokers[0]?.nodeId))
    expectError(result?.errorCode, 'NONE')
    const configs = new Map(result?.configs.map((config) => [config.name, config]))
    expect(configs.get('num.partitions')?.value).toBe('1')
    expect(configs.get('node.id')?.readOnly).toBe(true)
    expect(configs.get('log.retention.ms')?.readOnly).toBe(false)
  },

  'an id that no broker has is INVALID_REQUEST': async (port) => {
    for (const name of ['987', 'one']) {
      expectError((await describe(port, brokerResource, name))?.errorCode, 'INVALID_REQUEST')
    }
  },

  'a resource of an unknown kind is INVALID_REQUEST': async (port) => {
    const result = await describe(port, 99, 'name').catch(() => 'closed')
    expect(result === 'closed' || (result as { errorCode: number }).errorCode !== 0).toBe(true)
  },

  'set and delete: a value is set, and goes back to its default': async (port) => {
    const { name } = await port.topic()
    expectError(await alter(port, name, operation.set, 'retention.ms', '77777'), 'NONE')
    await untilConfig(port, name, 'retention.ms', '77777')
    expectError(await alter(port, name, operation.delete, 'retention.ms', null), 'NONE')
    await untilConfig(port, name, 'retention.ms', '604800000')
  },

  'append and subtract: lists grow and shrink': async (port) => {
    const { name } = await port.topic({ configs: { 'cleanup.policy': 'delete' } })
    expectError(await alter(port, name, operation.append, 'cleanup.policy', 'compact'), 'NONE')
    await untilConfig(port, name, 'cleanup.policy', 'delete,compact')
    expectError(await alter(port, name, operation.append, 'cleanup.policy', 'compact'), 'NONE')
    await untilConfig(port, name, 'cleanup.policy', 'delete,compact')
    expectError(await alter(port, name, operation.subtract, 'cleanup.policy', 'delete'), 'NONE')
    await untilConfig(port, name, 'cleanup.policy', 'compact')
  },

  'append to what is no list is INVALID_CONFIG': async (port) => {
    const { name } = await port.topic()
    expectError(await alter(port, name, operation.append, 'retention.ms', '1'), 'INVALID_CONFIG')
  },

  'names and values that cannot be are INVALID_CONFIG': async (port) => {
    const { name } = await port.topic()
    for (const [config, value] of [
      ['no.such.config', '1'],
      ['retention.ms', 'soon'],
      ['cleanup.policy', 'burn'],
      ['compression.type', 'zip'],
      ['segment.bytes', '1'],
      ['min.insync.replicas', '0'],
      ['max.message.bytes', '-1'],
    ] as const) {
      expectError(await alter(port, name, operation.set, config, value), 'INVALID_CONFIG')
    }
  },

  'a missing topic cannot be altered': async (port) => {
    const error = await alter(port, port.name('missing'), operation.set, 'retention.ms', '1')
    expectError(error, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'AlterConfigs replaces all of a topic': async (port) => {
    const { name } = await port.topic({ configs: { 'segment.ms': '6000', 'retention.ms': '5000' } })
    const client = await port.any()
    const response = await client.request(alterConfigsApi, 2, {
      resources: [
        {
          resourceType: topicResource,
          resourceName: name,
          configs: [{ name: 'retention.ms', value: '7000' }],
        },
      ],
      validateOnly: false,
    })
    expectError(response.responses[0]?.errorCode, 'NONE')
    await untilConfig(port, name, 'retention.ms', '7000')
    expect((await configOf(port, name, 'segment.ms'))?.configSource).toBe(source.default)
  },

  'what is only validated is not changed': async (port) => {
    const { name } = await port.topic()
    const client = await port.any()
    const response = await client.request(incrementalAlterConfigsApi, 1, {
      resources: [
        {
          resourceType: topicResource,
          resourceName: name,
          configs: [{ name: 'retention.ms', configOperation: operation.set, value: '1234' }],
        },
      ],
      validateOnly: true,
    })
    expectError(response.responses[0]?.errorCode, 'NONE')
    expect((await configOf(port, name, 'retention.ms'))?.value).toBe('604800000')
  },
})
