import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { apis, kafkaError, metadataApi, produceApi, Reader, Writer } from '../protocol/index.ts'
import type { Api } from '../protocol/index.ts'
import { arbitraryMessage, seededDraw } from '../protocol/wire/fixture/arbitrary-message.ts'
import { RecordBatchBuilder } from '../protocol/records/index.ts'
import { errorAnswer } from './error-answer.ts'
import { startBroker } from './test-broker.ts'
import type { TestBroker } from './test-broker.ts'
import { WireClient } from './wire-client.ts'

const code = kafkaError.REQUEST_TIMED_OUT

/** How often the error is in an answer, after it has gone over the wire. */
function errorsIn(api: Api, version: number, answer: object): number {
  const writer = new Writer()
  api.response.write(writer, answer, version)
  const decoded = api.response.read(new Reader(writer.toBuffer()), version)
  return JSON.stringify(decoded).match(new RegExp(`rrorCode":${code}\\b`, 'g'))?.length ?? 0
}

/** A request that names something wherever it could: nothing is null, no list is empty. */
function arbitraryRequest(api: Api, version: number, seed: number): object {
  const writer = new Writer()
  const draw = seededDraw(seed)
  const drawMore = (bound: number) => (bound === 1 ? 0 : Math.max(1, draw(bound)))
  api.request.write(writer, arbitraryMessage(api.request, version, drawMore), version)
  return api.request.read(new Reader(writer.toBuffer()), version)
}

/** What has no place for an error cannot tell of one. */
const withoutErrors = new Set(
  apis
    .filter(({ response }) => !JSON.stringify(response.fields).includes('rrorCode'))
    .map(({ name }) => name),
)

describe('errorAnswer', () => {
  it.each(
    apis.filter(({ name }) => !withoutErrors.has(name)).map((api) => [api.name, api] as const),
  )('has the error in an answer to any %s request, of each version', (_name, api) => {
    const silent: string[] = []
    for (let version = api.versions.first; version <= api.versions.last; version++) {
      for (let seed = 0; seed < 5; seed++) {
        const body = arbitraryRequest(api, version, seed)
        const answer = errorAnswer({ apiKey: api.key, body }, 'REQUEST_TIMED_OUT')
        if (errorsIn(api, version, answer) === 0) silent.push(`v${version}, seed ${seed}`)
      }
    }
    expect(silent).toEqual([])
  })

  it('refuses errors that Kafka does not have', () => {
    const request = { apiKey: produceApi.key, body: { topicData: [] } }
    expect(() => errorAnswer(request, 'NOT_LEADER_OR_FOLOWER')).toThrow(
      /error \(NOT_LEADER_OR_FOLOWER\) is not known; did you mean 'NOT_LEADER_OR_FOLLOWER'/,
    )
    expect(() => errorAnswer(request, 70_000)).toThrow(/error \(70000\)/)
  })
})

describe('a broker that answers with an error', () => {
  let kafka: TestBroker
  let client: WireClient
  beforeAll(async () => {
    kafka = await startBroker()
    await kafka.createTopic('orders', { partitions: 2 })
    const port = Number(kafka.bootstrap.split(':')[1])
    client = await WireClient.connect({
      platform: createNodePlatform(),
      host: '127.0.0.1',
      port,
    })
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await kafka.close()
  })

  it('has not done what it was asked for', async () => {
    const records = new RecordBatchBuilder()
    records.append({ key: null, value: Buffer.from('x'), timestamp: 0 })
    using _fault = kafka.intercept('Produce', (request) =>
      errorAnswer(request, 'NOT_LEADER_OR_FOLLOWER'),
    )
    const batch = records.build()
    const answer = await client.request(produceApi, 9, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: 'orders',
          partitionData: [0, 1].map((index) => ({ index, records: batch })),
        },
      ],
    })
    expect(answer.responses).toMatchObject([
      {
        name: 'orders',
        partitionResponses: [
          { index: 0, errorCode: kafkaError.NOT_LEADER_OR_FOLLOWER },
          { index: 1, errorCode: kafkaError.NOT_LEADER_OR_FOLLOWER },
        ],
      },
    ])
    expect(kafka.records('orders', 0)).toEqual([])
  })

  it('names the topics that it was asked about', async () => {
    using _fault = kafka.intercept('Metadata', (request) => errorAnswer(request, 5))
    const answer = await client.request(metadataApi, 9, { topics: [{ name: 'orders' }] })
    expect(answer.topics).toMatchObject([
      { name: 'orders', errorCode: kafkaError.LEADER_NOT_AVAILABLE },
    ])
  })
})
