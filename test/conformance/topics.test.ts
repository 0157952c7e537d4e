import { expect } from 'vitest'
import {
  createPartitionsApi,
  createTopicsApi,
  deleteTopicsApi,
  describeTopicPartitionsApi,
  metadataApi,
} from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import { fetch, produce } from './steps.ts'

interface NewTopic {
  readonly name: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly assignments?: readonly { partitionIndex: number; brokerIds: readonly number[] }[]
  readonly configs?: readonly { name: string; value: string | null }[]
}

/** Creates one topic; answers what the broker says of it. */
async function create(port: Port, topic: NewTopic, options: { validateOnly?: boolean } = {}) {
  const client = await port.any()
  const response = await client.request(createTopicsApi, 7, {
    topics: [
      {
        name: topic.name,
        numPartitions: topic.numPartitions ?? 1,
        replicationFactor: topic.replicationFactor ?? 1,
        assignments: (topic.assignments ?? []).map((one) => ({
          partitionIndex: one.partitionIndex,
          brokerIds: [...one.brokerIds],
        })),
        configs: [...(topic.configs ?? [])],
      },
    ],
    validateOnly: options.validateOnly ?? false,
  })
  return response.topics[0]
}

async function metadataOf(port: Port, name: string, version = 12) {
  const client = await port.any()
  const response = await client.request(metadataApi, version, {
    topics: [{ name }],
    ...(version >= 4 && { allowAutoTopicCreation: false }),
  })
  return response.topics[0]
}

async function brokerIds(port: Port): Promise<number[]> {
  const client = await port.any()
  const response = await client.request(metadataApi, 12, { topics: [] })
  return response.brokers.map((broker) => broker.nodeId)
}

conformance('topics', {
  'creating answers id, partitions, replicas and configuration, which is never null': async (
    port,
  ) => {
    const name = port.name('topic')
    const created = await create(port, {
      name,
      numPartitions: 3,
      configs: [{ name: 'retention.ms', value: '5000' }],
    })
    expectError(created?.errorCode, 'NONE')
    expect(created?.numPartitions).toBe(3)
    expect(created?.replicationFactor).toBe(1)
    expect(created?.topicConfigErrorCode).toBe(0)
    expect(created?.topicId).toMatch(/^[\w-]{22}$/)
    const retention = created?.configs?.find((config) => config.name === 'retention.ms')
    expect(retention).toMatchObject({ value: '5000', readOnly: false, isSensitive: false })
    // 1: a topic's own configuration; 5: a default.
    expect(retention?.configSource).toBe(1)
    const other = created?.configs?.find((config) => config.name === 'cleanup.policy')
    expect(other?.configSource).toBe(5)
  },

  '-1 stands for the default numbers of partitions and replicas': async (port) => {
    const name = port.name('topic')
    const created = await create(port, { name, numPartitions: -1, replicationFactor: -1 })
    expectError(created?.errorCode, 'NONE')
    expect(created?.numPartitions).toBe(1)
  },

  'replicas may be assigned by hand': async (port) => {
    const [id = 0] = await brokerIds(port)
    const created = await create(port, {
      name: port.name('topic'),
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [
        { partitionIndex: 0, brokerIds: [id] },
        { partitionIndex: 1, brokerIds: [id] },
      ],
    })
    expectError(created?.errorCode, 'NONE')
    expect(created?.numPartitions).toBe(2)
  },

  'assignments that make no sense are INVALID_REPLICA_ASSIGNMENT': async (port) => {
    const [id = 0] = await brokerIds(port)
    for (const assignments of [
      [{ partitionIndex: 1, brokerIds: [id] }],
      [{ partitionIndex: 0, brokerIds: [id, id] }],
      [{ partitionIndex: 0, brokerIds: [999] }],
    ]) {
      const created = await create(port, {
        name: port.name('topic'),
        numPartitions: -1,
        replicationFactor: -1,
        assignments,
      })
      expectError(created?.errorCode, 'INVALID_REPLICA_ASSIGNMENT')
    }
  },

  'a topic that is only validated does not come to be': async (port) => {
    const name = port.name('topic')
    const created = await create(port, { name }, { validateOnly: true })
    expectError(created?.errorCode, 'NONE')
    expectError((await metadataOf(port, name))?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'an existing name is TOPIC_ALREADY_EXISTS': async (port) => {
    const { name } = await port.topic()
    expectError((await create(port, { name }))?.errorCode, 'TOPIC_ALREADY_EXISTS')
  },

  'names that cannot be are INVALID_TOPIC_EXCEPTION': async (port) => {
    for (const name of ['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250)]) {
      expectError((await create(port, { name }))?.errorCode, 'INVALID_TOPIC_EXCEPTION')
    }
    const longest = `${port.name('topic')}-${'x'.repeat(300)}`.slice(0, 249)
    expectError((await create(port, { name: longest }))?.errorCode, 'NONE')
  },

  'names that differ in . and _ only collide: INVALID_TOPIC_EXCEPTION': async (port) => {
    const name = port.name('topic')
    expectError((await create(port, { name: `${name}.a` }))?.errorCode, 'NONE')
    const other = await create(port, { name: `${name}_a` })
    expectError(other?.errorCode, 'INVALID_TOPIC_EXCEPTION')
  },

  'no partitions are INVALID_PARTITIONS, no or too many replicas INVALID_REPLICATION_FACTOR':
    async (port) => {
      const name = port.name('topic')
      for (const numPartitions of [0, -2]) {
        expectError((await create(port, { name, numPartitions }))?.errorCode, 'INVALID_PARTITIONS')
      }
      for (const replicationFactor of [0, -2, 100]) {
        const created = await create(port, { name, replicationFactor })
        expectError(created?.errorCode, 'INVALID_REPLICATION_FACTOR')
      }
    },

  'configurations that cannot be are INVALID_CONFIG': async (port) => {
    for (const [name, value] of [
      ['no.such.config', '1'],
      ['retention.ms', 'soon'],
      ['cleanup.policy', 'burn'],
      ['segment.bytes', '1'],
    ] as const) {
      const configs = [{ name, value }]
      const created = await create(port, { name: port.name('topic'), configs })
      expectError(created?.errorCode, 'INVALID_CONFIG')
    }
  },

  'the same name twice in a request is INVALID_REQUEST for both': async (port) => {
    const name = port.name('topic')
    const client = await port.any()
    const one = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const response = await client.request(createTopicsApi, 7, { topics: [one, one] })
    expectError(response.topics[0]?.errorCode, 'INVALID_REQUEST')
    expectError((await metadataOf(port, name))?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'metadata: null topics are all, no topics are none': async (port) => {
    const { name } = await port.topic()
    const client = await port.any()
    const all = await client.request(metadataApi, 12, { topics: null })
    expect(all.topics.map((topic) => topic.name)).toContain(name)
    const none = await client.request(metadataApi, 12, { topics: [] })
    expect(none.topics).toEqual([])
    expect(none.brokers.length).toBeGreaterThan(0)
    expect(none.clusterId).toMatch(/^[\w-]{22}$/)
  },

  'metadata: a missing topic is unknown, an invalid name INVALID_TOPIC_EXCEPTION': async (port) => {
    const missing = await metadataOf(port, port.name('missing'))
    expectError(missing?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
    expectError((await metadataOf(port, 'not a name'))?.errorCode, 'INVALID_TOPIC_EXCEPTION')
  },

  'metadata: topics are found by id, and an unknown id is UNKNOWN_TOPIC_ID': async (port) => {
    const { name, id } = await port.topic()
    const client = await port.any()
    const ask = async (topicId: string) => {
      const request = { topics: [{ topicId, name: null }], allowAutoTopicCreation: false }
      return (await client.request(metadataApi, 12, request)).topics[0]
    }
    expect((await ask(id))?.name).toBe(name)
    const unknown = await ask('AAAAAAAAAAAAAAAAAAAA-A')
    expectError(unknown?.errorCode, 'UNKNOWN_TOPIC_ID')
  },

  'metadata: partitions have leaders, epochs, replicas and no offline ones': async (port) => {
    const { name } = await port.topic({ partitions: 2 })
    const topic = await metadataOf(port, name)
    expect(topic?.isInternal).toBe(false)
    expect(topic?.partitions).toHaveLength(2)
    for (const partition of topic?.partitions ?? []) {
      expect(partition.leaderEpoch).toBe(0)
      expect(partition.replicaNodes).toContain(partition.leaderId)
      expect(partition.isrNodes).toContain(partition.leaderId)
      expect(partition.offlineReplicas).toEqual([])
    }
  },

  'metadata: authorized operations are told only when asked for': async (port) => {
    const { name } = await port.topic()
    const client = await port.any()
    const ask = async (includeTopicAuthorizedOperations: boolean) => {
      const request = { topics: [{ name }], includeTopicAuthorizedOperations }
      return (await client.request(metadataApi, 12, request)).topics[0]?.topicAuthorizedOperations
    }
    expect(await ask(false)).toBe(-2_147_483_648)
    // Read, write, create, delete, alter, describe, describe and alter configs: bits 3 to 11.
    expect(await ask(true)).toBe(0b1101_1111_1000)
  },

  'DescribeTopicPartitions: lists are empty, not null': async (port) => {
    const { name } = await port.topic({ partitions: 2 })
    const client = await port.any()
    const request = { topics: [{ name }], responsePartitionLimit: 10 }
    const response = await client.request(describeTopicPartitionsApi, 0, request)
    const [topic] = response.topics
    expectError(topic?.errorCode, 'NONE')
    expect(topic?.partitions).toHaveLength(2)
    for (const partition of topic?.partitions ?? []) {
      expect(partition.eligibleLeaderReplicas).toEqual([])
      expect(partition.lastKnownElr).toEqual([])
    }
    expect(response.nextCursor).toBeNull()
  },

  'DescribeTopicPartitions: a limit answers a cursor to go on from': async (port) => {
    const { name } = await port.topic({ partitions: 3 })
    const client = await port.any()
    const first = await client.request(describeTopicPartitionsApi, 0, {
      topics: [{ name }],
      responsePartitionLimit: 2,
    })
    expect(first.topics[0]?.partitions).toHaveLength(2)
    expect(first.nextCursor).toEqual({ topicName: name, partitionIndex: 2 })
    const second = await client.request(describeTopicPartitionsApi, 0, {
      topics: [{ name }],
      responsePartitionLimit: 2,
      cursor: first.nextCursor,
    })
    expect(second.topics[0]?.partitions.map((one) => one.partitionIndex)).toEqual([2])
  },

  'a deleted topic is unknown, and a new one of the name has a new id and no records': async (
    port,
  ) => {
    const topic = await port.topic()
    await produce(await port.leader(topic.name), topic, {})
    const client = await port.any()
    const request = { topics: [{ name: topic.name }], timeoutMs: 10_000 }
    const deleted = await client.request(deleteTopicsApi, 6, request)
    expectError(deleted.responses[0]?.errorCode, 'NONE')
    await port.eventually('it is unknown', async () => {
      const metadata = await metadataOf(port, topic.name)
      return metadata?.errorCode === 3 ? true : undefined
    })
    const created = await create(port, { name: topic.name })
    expect(created?.topicId).not.toBe(topic.id)
    const again = { name: topic.name, id: created?.topicId ?? '' }
    const fetched = await port.eventually('it is served', async () => {
      const metadata = await metadataOf(port, topic.name)
      if ((metadata?.partitions[0]?.leaderId ?? -1) < 0) return undefined
      const answer = await fetch(await port.leader(topic.name), again, 0)
      return answer.errorCode === 0 ? answer : undefined
    })
    expect(fetched.highWatermark).toBe(0)
    const old = await fetch(await port.leader(topic.name), topic, 0, { version: 13 })
    expectError(old.errorCode, 'UNKNOWN_TOPIC_ID')
  },

  'deleting what is missing is unknown, by name and by id': async (port) => {
    const client = await port.any()
    const response = await client.request(deleteTopicsApi, 6, {
      topics: [{ name: port.name('missing') }, { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAA-A' }],
      timeoutMs: 10_000,
    })
    expect(response.responses.map((one) => one.errorCode).sort((a, b) => a - b)).toEqual([3, 100])
  },

  'partitions are added; equal or fewer are INVALID_PARTITIONS': async (port) => {
    const { name } = await port.topic({ partitions: 2 })
    const client = await port.any()
    const grow = async (topic: string, count: number) => {
      const topics = [{ name: topic, count, assignments: null }]
      const request = { topics, timeoutMs: 10_000, validateOnly: false }
      return (await client.request(createPartitionsApi, 3, request)).results[0]?.errorCode
    }
    expectError(await grow(name, 4), 'NONE')
    await port.eventually('4 partitions', async () => {
      return (await metadataOf(port, name))?.partitions.length === 4 ? true : undefined
    })
    for (const count of [4, 1, 0]) expectError(await grow(name, count), 'INVALID_PARTITIONS')
    expectError(await grow(port.name('missing'), 4), 'UNKNOWN_TOPIC_OR_PARTITION')
  },
})
