import { describe, expect, it } from 'vitest'
import type { produceApi, RequestOf } from '../../protocol/index.ts'
import { compressions, decompress } from '../../protocol/compression/index.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import { closeConnection, startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'
import type { ProducerRecord } from './producer-record.ts'

const topic = 'orders'

/** The records of all Produce requests so far, as they went over the wire. */
function wireRecords(kafka: TestBroker) {
  return kafka.requests('Produce').flatMap(({ body }) => {
    const { topicData } = body as RequestOf<typeof produceApi>
    return topicData
      .flatMap(({ partitionData }) => partitionData)
      .flatMap(({ records }) => [...RecordBatch.at(records as Buffer).records(1 << 24)])
  })
}

describe('what a record holds', () => {
  it('arrives as it was given: empty is not null, headers keep order, repeats and nulls', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const records: ProducerRecord[] = [
      { topic, value: null },
      { topic, value: '' },
      { topic, key: null, value: new Uint8Array(0) },
      { topic, key: '', value: 'grüße 🎈' },
      { topic, key: 'k'.repeat(100), value: new Uint8Array([0, 255]), timestamp: 7 },
      {
        topic,
        value: 'headers',
        headers: [
          ['b', 'first'],
          ['a', null],
          ['b', new Uint8Array([1])],
          ['ü', ''],
        ],
      },
      { topic, value: 'an object', headers: { z: '1', a: null } },
    ]
    await client.producer().send(records)
    const found = wireRecords(kafka)
    const bytes = (field: Uint8Array | null): string | null =>
      field === null ? null : Buffer.from(field).toString('utf8')
    expect(found.map(({ key }) => bytes(key))).toEqual([
      ...[null, null, null, ''],
      ...['k'.repeat(100), null, null],
    ])
    expect(found.slice(0, 4).map(({ value }) => bytes(value))).toEqual([null, '', '', 'grüße 🎈'])
    expect([...(found[4]?.value ?? [])]).toEqual([0, 255])
    expect(found[4]?.timestamp).toBe(7)
    expect(found[5]?.headers.map(({ key, value }) => [key, bytes(value)])).toEqual([
      ['b', 'first'],
      ['a', null],
      ['b', '\u0001'],
      ['ü', ''],
    ])
    expect(found[6]?.headers.map(({ key, value }) => [key, bytes(value)])).toEqual([
      ['z', '1'],
      ['a', null],
    ])
  })

  it('has the time of the broker where the topic wants that', async () => {
    await using kafka = await startBroker()
    const configs = { 'message.timestamp.type': 'LogAppendTime' }
    await kafka.createTopic(topic, { partitions: 1, configs })
    await using client = new TestClient(kafka.bootstrap)
    const before = kafka.now()
    const results = await client.producer().send([
      { topic, value: 'a', timestamp: 5 },
      { topic, value: 'b' },
    ])
    for (const { timestamp } of results) expect(timestamp).toBeGreaterThanOrEqual(before)
  })
})

describe('compression', () => {
  const text = 'a value that is said again and again, '.repeat(10)

  it.each(compressions)(
    '%s: is what the broker stores, also when answers are lost',
    async (compression) => {
      await using kafka = await startBroker()
      await kafka.createTopic(topic, { partitions: 2 })
      await using client = new TestClient(kafka.bootstrap)
      const producer = client.producer({ compression })
      let count = 0
      using _ = kafka.intercept('Produce', async (_request, proceed) => {
        const outcome = await proceed()
        count += 1
        return count === 1 ? closeConnection : outcome
      })
      const records = Array.from({ length: 600 }, (_each, index) => ({
        ...{ topic, partition: index % 2 },
        value: `${index} ${text}`,
      }))
      // Large batches of gzip are compressed on another thread, in the order of the partition all the same.
      await Promise.all(records.map((record) => producer.send(record)))
      for (const partition of [0, 1]) {
        expect(kafka.records(topic, partition).map(({ value }) => value)).toEqual(
          records.filter((record) => record.partition === partition).map(({ value }) => value),
        )
        const [batch] = kafka.batches(topic, partition)
        expect(batch?.compression).toBe(compression)
        if (compression !== 'none') expect(batch?.sizeBytes).toBeLessThan(20_000)
      }
    },
  )

  it('takes a level where the codec has one, and refuses one that it has not', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    await client.producer({ compression: 'gzip', compressionLevel: 9 }).send({ topic, value: text })
    const [request] = kafka.requests('Produce')
    const { topicData } = request?.body as RequestOf<typeof produceApi>
    const bytes = topicData[0]?.partitionData[0]?.records as Buffer
    const records = RecordBatch.at(bytes).recordBytes
    expect(decompress('gzip', records, 10_000).length).toBeGreaterThan(text.length)
    // What gzip says of itself: 2 is "the slowest".
    expect(records[8]).toBe(2)
    expect(() => client.producer({ compression: 'gzip', compressionLevel: 10 })).toThrow(
      'from 1 to 9',
    )
    expect(() => client.producer({ compression: 'lz4', compressionLevel: 1 })).toThrow('lz4')
  })
})

describe('acknowledgements', () => {
  it.each([
    ['none', 0, -1],
    ['leader', 1, 0],
    ['all', -1, 0],
  ] as const)('%s: are asked for, and give what they can', async (acks, code, offset) => {
    await using kafka = await startBroker({ recordRequests: true })
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ acks })
    const result = await producer.send({ topic, value: 'v0', timestamp: 9 })
    expect(result).toEqual({ topic, partition: 0, offset, timestamp: 9 })
    while (kafka.records(topic).length === 0) await new Promise((resolve) => setImmediate(resolve))
    const [request] = kafka.requests('Produce')
    expect((request?.body as RequestOf<typeof produceApi>).acks).toBe(code)
    expect(kafka.batches(topic)[0]?.producerId).toBe(acks === 'all' ? 0 : -1)
    const asksForId = kafka.requests('InitProducerId').length
    expect(asksForId).toBe(acks === 'all' ? 1 : 0)
  })

  it('keep their order without idempotence', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ idempotent: false, lingerMs: 0 })
    const sends = []
    for (let index = 0; index < 50; index++) {
      sends.push(producer.send({ topic, value: `v${index}` }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(sends)
    expect(kafka.records(topic).map(({ value }) => value)).toEqual(
      sends.map((_, index) => `v${index}`),
    )
    expect(() => client.producer({ idempotent: true, acks: 'leader' })).toThrow("must be 'all'")
  })
})
