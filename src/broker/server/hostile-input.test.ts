import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import {
  apiVersionsApi,
  createPartitionsApi,
  createTopicsApi,
  fetchApi,
  findCoordinatorApi,
  joinGroupApi,
  kafkaErrorName,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  produceApi,
} from '../../protocol/index.ts'
import type { Api, RequestInput } from '../../protocol/index.ts'
import { crc32c, RecordBatchBuilder } from '../../protocol/records/index.ts'
import { WireClient } from '../../testing/wire-client.ts'
import { startBroker } from '../embedded-broker.ts'

const platform = createNodePlatform()

/** A broker with a topic of one partition, and a client that asks it for what it should not. */
interface Scene {
  readonly client: WireClient
  /** What the broker has said to operators. */
  readonly lines: readonly string[]
}

interface Attempt {
  /** What is sent, as the page names it. */
  readonly sent: string
  /** What comes of it. */
  readonly outcome: string
  readonly send: (scene: Scene) => Promise<string>
}

const ends = 'the connection ends'
const nobodyServes = 9999
const most = 2 ** 31 - 1

/** Sends bytes that cannot be answered. */
function bytes(sent: string, content: () => Buffer, said: string): Attempt {
  return {
    sent,
    outcome: `${ends}: ${said}`,
    async send({ client, lines }) {
      client.sendBytes(content())
      await client.closed
      return `${ends}: ${lines.at(-1)?.replace(/^closed a connection: /, '') ?? 'in silence'}`
    },
  }
}

/** Sends a request that is answered with an error; `find` looks for the codes. */
function request<A extends Api>(
  sent: string,
  outcome: string,
  api: A,
  version: number,
  body: RequestInput<A>,
): Attempt {
  return {
    sent,
    outcome,
    async send({ client }) {
      const answer = await client.request(api, version, body)
      const codes = JSON.stringify(answer).match(/"errorCode":-?\d+/g) ?? []
      const names = codes.map((code) => kafkaErrorName(Number(code.split(':')[1])))
      return names.find((name) => name !== 'NONE') ?? 'NONE'
    },
  }
}

function framed(content: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(content.length)
  return Buffer.concat([size, content])
}

/** A request whose header names an API and a version, with an empty body. */
function headerOf(key: number, version: number): Buffer {
  const header = Buffer.alloc(10)
  header.writeInt16BE(key, 0)
  header.writeInt16BE(version, 2)
  header.writeInt16BE(-1, 8)
  return header
}

/** Metadata version 1 of an array of so many topics, of which none follows. */
function declaredArray(length: number): Buffer {
  const count = Buffer.alloc(4)
  count.writeInt32BE(length)
  return framed(Buffer.concat([headerOf(metadataApi.key, 1), count]))
}

/** Bytes that look like nothing, the same in each run. */
function noise(length: number): Buffer {
  let state = 4711
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 24
    }),
  )
}

function goodBatch(): Buffer {
  const builder = new RecordBatchBuilder()
  for (const value of ['one', 'two']) {
    builder.append({ key: null, value: Buffer.from(value), timestamp: 0 })
  }
  return builder.build()
}

/** A batch that was changed after it was made. */
function changedBatch(change: (batch: Buffer) => Buffer): Buffer {
  return change(Buffer.from(goodBatch()))
}

function produced(sent: string, outcome: string, records: Buffer | null, name = 'orders'): Attempt {
  return request(`Produce of ${sent}`, outcome, produceApi, 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  })
}

function created(sent: string, outcome: string, name: string, partitions = 1): Attempt {
  return request(`CreateTopics ${sent}`, outcome, createTopicsApi, 5, {
    topics: [
      { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] },
    ],
    timeoutMs: 1000,
  })
}

function fetched(sent: string, outcome: string, fetchOffset: number, partition = 0): Attempt {
  return request(`Fetch ${sent}`, outcome, fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: most,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      { topic: 'orders', partitions: [{ partition, fetchOffset, partitionMaxBytes: most }] },
    ],
  })
}

const attempts: readonly Attempt[] = [
  bytes(
    'an HTTP request',
    () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'an HTTP request came to a Kafka listener',
  ),
  bytes(
    'a TLS handshake',
    () => Buffer.from('1603010200010001fc0303', 'hex'),
    'a TLS handshake came to a listener without TLS',
  ),
  bytes(
    'a frame of -1 bytes',
    () => Buffer.from('ffffffff', 'hex'),
    'a frame declares -1 bytes; allowed are 0 to 104857600 (socket.request.max.bytes)',
  ),
  bytes(
    'a frame of 2 GiB',
    () => Buffer.from('7fffffff', 'hex'),
    'a frame declares 2147483647 bytes; allowed are 0 to 104857600 (socket.request.max.bytes)',
  ),
  bytes('an empty frame', () => Buffer.alloc(4), '2 bytes wanted at byte 0, 0 are left'),
  bytes(
    '1 MiB of noise',
    () => noise(1_048_576),
    'a frame declares 1754411023 bytes; allowed are 0 to 104857600 (socket.request.max.bytes)',
  ),
  bytes('1 MiB of noise in a frame', () => framed(noise(1_048_576)), 'API key 26770 is not known'),
  bytes(
    'an API that there is not',
    () => framed(headerOf(nobodyServes, 0)),
    'API key 9999 is not known',
  ),
  bytes(
    'a version that there is not',
    () => framed(headerOf(metadataApi.key, 99)),
    'Metadata version 99 is not served (0 to 13 are)',
  ),
  bytes(
    'a request without its body',
    () => framed(headerOf(produceApi.key, 9)),
    '1 bytes wanted at byte 10, 0 are left',
  ),
  bytes(
    'an array of 2,147,483,647 topics',
    () => declaredArray(most),
    'MetadataRequest.topics declares 2147483647 elements of at least 2 bytes, 0 bytes are left',
  ),
  bytes(
    'an array of -2 topics',
    () => declaredArray(-2),
    'MetadataRequest.topics declares a length of -2',
  ),
  request('ApiVersions without the name of a client', 'INVALID_REQUEST', apiVersionsApi, 3, {}),
  produced('null', 'INVALID_RECORD', null),
  produced('no bytes', 'INVALID_RECORD', Buffer.alloc(0)),
  produced('noise', 'CORRUPT_MESSAGE', noise(1000)),
  produced(
    'a batch with a changed byte',
    'CORRUPT_MESSAGE',
    changedBatch((batch) => batch.fill(1, 70, 71)),
  ),
  produced(
    'a batch that ends early',
    'INVALID_RECORD',
    changedBatch((batch) => batch.subarray(0, 65)),
  ),
  produced(
    'a batch that declares 2 GiB',
    'INVALID_RECORD',
    changedBatch((batch) => {
      batch.writeInt32BE(most, 8)
      return batch
    }),
  ),
  produced(
    'a batch that declares 2,147,483,647 records',
    'INVALID_RECORD',
    changedBatch((batch) => {
      batch.writeInt32BE(most, 57)
      batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
      return batch
    }),
  ),
  produced(
    'two batches for one partition',
    'INVALID_RECORD',
    Buffer.concat([goodBatch(), goodBatch()]),
  ),
  produced('more than max.message.bytes', 'MESSAGE_TOO_LARGE', largeBatch()),
  produced(
    "a topic of the broker's own",
    'INVALID_TOPIC_EXCEPTION',
    goodBatch(),
    '__consumer_offsets',
  ),
  produced('a topic that is a path', 'INVALID_TOPIC_EXCEPTION', goodBatch(), '../../orders'),
  created('with a path for a name', 'INVALID_TOPIC_EXCEPTION', '../orders'),
  created('with the name `..`', 'INVALID_TOPIC_EXCEPTION', '..'),
  created('with a name of 30,000 characters', 'INVALID_TOPIC_EXCEPTION', 'x'.repeat(30_000)),
  created('with a line break in the name', 'INVALID_TOPIC_EXCEPTION', 'a\nb'),
  created('of 2,147,483,647 partitions', 'POLICY_VIOLATION', 'wide', most),
  created('of -5 partitions', 'INVALID_PARTITIONS', 'narrow', -5),
  request('CreatePartitions up to 2,147,483,647', 'POLICY_VIOLATION', createPartitionsApi, 3, {
    topics: [{ name: 'orders', count: most, assignments: null }],
    timeoutMs: 1000,
    validateOnly: false,
  }),
  fetched('from an offset below 0', 'OFFSET_OUT_OF_RANGE', -5),
  fetched('from the largest offset', 'OFFSET_OUT_OF_RANGE', Number.MAX_SAFE_INTEGER),
  fetched('of partition 2,147,483,647', 'UNKNOWN_TOPIC_OR_PARTITION', 0, most),
  fetched('of partition -1', 'UNKNOWN_TOPIC_OR_PARTITION', 0, -1),
  request('ListOffsets of time -99', 'UNSUPPORTED_VERSION', listOffsetsApi, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -99 }] }],
  }),
  request('JoinGroup with a session of 24 days', 'INVALID_SESSION_TIMEOUT', joinGroupApi, 5, {
    groupId: 'group',
    sessionTimeoutMs: most,
    rebalanceTimeoutMs: most,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: noise(100) }],
  }),
  request(
    'OffsetCommit with 30,000 characters of metadata',
    'OFFSET_METADATA_TOO_LARGE',
    offsetCommitApi,
    8,
    {
      groupId: 'group',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 0, committedOffset: 0, committedMetadata: 'x'.repeat(30_000) },
          ],
        },
      ],
    },
  ),
]

function largeBatch(): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append({ key: null, value: noise(1_100_000), timestamp: 0 })
  return builder.build()
}

describe('a broker that is sent what it should not be', () => {
  it.each(attempts.map((attempt) => [attempt.sent, attempt] as const))(
    '%s: says what the page says, and serves others',
    async (_sent, { outcome, send }) => {
      const lines: string[] = []
      await using broker = await startBroker({
        log: (_level, message) => lines.push(message),
      })
      const configs = new Map<string, string>()
      await broker.cluster.createTopic({
        name: 'orders',
        partitions: 1,
        replicationFactor: 1,
        configs,
      })
      const at = { platform, host: '127.0.0.1', port: Number(broker.bootstrap.split(':').at(-1)) }
      await using client = await WireClient.connect(at)
      await using other = await WireClient.connect(at)
      // A group's first question is who its coordinator is.
      await other.request(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['group'] })
      expect(await send({ client, lines })).toBe(outcome)
      const { topics } = await other.request(metadataApi, 1, { topics: null })
      const own = topics.filter(({ isInternal }) => !isInternal)
      expect(own.map(({ name, partitions }) => `${name} ${partitions.length}`)).toEqual([
        'orders 1',
      ])
    },
  )

  it('closes connections above max.connections at once, and serves those that are there', async () => {
    await using broker = await startBroker({ properties: { 'max.connections': '2' } })
    const at = { platform, host: '127.0.0.1', port: Number(broker.bootstrap.split(':').at(-1)) }
    await using first = await WireClient.connect(at)
    await using second = await WireClient.connect(at)
    for (const client of [first, second]) await client.request(metadataApi, 1, { topics: [] })
    await using third = await WireClient.connect(at)
    await third.closed
    for (const client of [first, second]) await client.request(metadataApi, 1, { topics: [] })
  })

  it('is told of by the page', () => {
    const page = readFileSync(
      new URL('../../../docs/internals/hostile-input.md', import.meta.url),
      'utf8',
    )
    const [, requests = ''] = /## Requests\n(.*?)\n## /s.exec(page) ?? []
    const rows = [...requests.matchAll(/^\| (?!what is sent|---)(.*?) +\| (.*?) +\|$/gm)]
    expect(rows.map(([, sent, outcome]) => `${sent} | ${outcome}`)).toEqual(
      attempts.map(({ sent, outcome }) => `${sent} | ${outcome}`),
    )
  })
})
