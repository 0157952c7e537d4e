import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeConnection, startBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'
import { murmur2, partitionOfKey } from './partitioner.ts'

describe('the partition of a key', () => {
  it('is the one that Java chooses', () => {
    // What Java's client makes of these keys with 24 partitions.
    const partitions = Array.from({ length: 12 }, (_, index) => partitionOfKey(`key-${index}`, 24))
    expect(partitions).toEqual([1, 0, 14, 11, 9, 8, 20, 19, 19, 21, 14, 1])
    // The figures that Kafka's own tests have for its hash.
    const hashes = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    }
    for (const [text, hash] of Object.entries(hashes)) expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('is the same for text and its bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.integer({ min: 1, max: 100 }),
        (text, count) => {
          expect(partitionOfKey(text, count)).toBe(partitionOfKey(Buffer.from(text), count))
        },
      ),
      { seed: 2, numRuns: 500 },
    )
  })
})

describe('partitions of records', () => {
  const topic = 'orders'

  it('are the ones that were asked for, then what the function says, then the key', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 5 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({
      partitioner: ({ headers }, count) => (headers === undefined ? undefined : count - 1),
    })
    const key = 'key-3'
    const results = await producer.send([
      { topic, key, value: 'a', partition: 2, headers: [['to', 'the last']] },
      { topic, key, value: 'b', headers: { to: 'the last' } },
      { topic, key, value: 'c' },
      { topic, key: '', value: 'd' },
    ])
    expect(results.toArray().map(({ partition }) => partition)).toEqual([
      2,
      4,
      partitionOfKey(key, 5),
      partitionOfKey('', 5),
    ])
  })

  it('without a key stay the same for a batch, and are all used', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 3 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ batchBytesMax: 2_000 })
    const records = Array.from({ length: 1_000 }, () => ({ topic, value: 'x'.repeat(50) }))
    const partitions = (await producer.send(records)).toArray().map(({ partition }) => partition)
    const changes = partitions.filter((each, index) => each !== partitions[index - 1]).length
    expect(changes).toBeLessThan(60)
    expect(new Set(partitions)).toEqual(new Set([0, 1, 2]))
  })

  it('are not chosen again when a batch is sent again', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 3 })
    await using client = new TestClient(kafka.bootstrap)
    let calls = 0
    const producer = client.producer({ partitioner: (_record, count) => calls++ % count })
    let requests = 0
    using _ = kafka.intercept('Produce', async (_request, proceed) => {
      const outcome = await proceed()
      requests += 1
      return requests < 4 ? closeConnection : outcome
    })
    const records = Array.from({ length: 9 }, (_each, index) => ({ topic, value: `v${index}` }))
    const results = await producer.send(records)
    expect(results.toArray().map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
    expect(calls).toBe(9)
    expect(kafka.records(topic, 1).map(({ value }) => value)).toEqual(['v1', 'v4', 'v7'])
  })
})
