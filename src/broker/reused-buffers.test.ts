import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { fetchApi, produceApi } from '../protocol/index.ts'
import { RecordBatch, RecordBatchBuilder } from '../protocol/records/index.ts'
import { WireClient } from '../testing/wire-client.ts'
import { startBroker } from './embedded-broker.ts'
import type { EmbeddedBroker } from './embedded-broker.ts'
import { ReusedBuffers } from './reused-buffers.ts'

describe('buffers that are used again', () => {
  it('are never lent to two at once, and hold what was asked for', () => {
    const step = fc.oneof(
      fc.record({ take: fc.constantFrom(1, 65_535, 65_536, 70_000, 131_072, 1_056_768) }),
      fc.record({ giveBack: fc.nat({ max: 5 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const buffers = new ReusedBuffers(1_000_000)
        const lent: Buffer[] = []
        for (const each of steps) {
          if ('take' in each) {
            const taken = buffers.take(each.take)
            expect(taken.length).toBe(each.take)
            expect(lent.map(({ buffer }) => buffer)).not.toContain(taken.buffer)
            lent.push(taken)
          } else {
            const [given] = lent.splice(each.giveBack, 1)
            // Views and repetitions do no harm.
            if (given !== undefined) buffers.giveBack(given.subarray(1))
            if (given !== undefined) buffers.giveBack(given)
          }
        }
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('are used again up to a bound, and only if they were lent', () => {
    const buffers = new ReusedBuffers(200_000)
    const taken = [1, 2, 3].map(() => buffers.take(100_000))
    for (const each of taken) buffers.giveBack(each)
    buffers.giveBack(Buffer.allocUnsafeSlow(100_000))
    const memory = taken.map(({ buffer }) => buffer)
    const again = [1, 2, 3].map(() => memory.includes(buffers.take(100_000).buffer))
    expect(again.filter(Boolean)).toHaveLength(1)
  })
})

const partitions = 4
const rounds = 30

/** A batch of some 200 KiB that no other is equal to. */
function largeBatch(partition: number, round: number): Buffer {
  const builder = new RecordBatchBuilder()
  const text = `partition ${partition}, round ${round};`
  for (let record = 0; record < 20; record++) {
    builder.append({ key: null, value: Buffer.alloc(10_000, `${text}${record};`), timestamp: 0 })
  }
  return builder.build()
}

async function withBroker(work: (broker: EmbeddedBroker) => Promise<void>): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-buffers-'))
  try {
    await using broker = await startBroker({ data, durability: 'page-cache' })
    const configs = new Map<string, string>()
    await broker.cluster.createTopic({ name: 'large', partitions, replicationFactor: 1, configs })
    await work(broker)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

function connect({ bootstrap }: EmbeddedBroker): Promise<WireClient> {
  const [host = '', port = ''] = bootstrap.split(':')
  return WireClient.connect({ platform: createNodePlatform(), host, port: Number(port) })
}

async function produceAll(client: WireClient): Promise<void> {
  const requests = Array.from({ length: rounds }, (_, round) =>
    client.request(produceApi, 9, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        {
          name: 'large',
          partitionData: Array.from({ length: partitions }, (_each, index) => ({
            index,
            records: largeBatch(index, round),
          })),
        },
      ],
    }),
  )
  for (const { responses } of await Promise.all(requests)) {
    expect(responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).toEqual(
      Array.from({ length: partitions }, () => 0),
    )
  }
}

/**
 * Reads all partitions to their ends, in responses that no socket takes at once. Answers what the
 * batches of each begin with; their CRCs must be right.
 */
async function readAll(client: WireClient): Promise<string[][]> {
  const found = Array.from({ length: partitions }, (): string[] => [])
  const offsets = found.map(() => 0)
  while (found.some(({ length }) => length < rounds)) {
    const asked = offsets.map((fetchOffset, partition) => ({
      partition,
      fetchOffset,
      partitionMaxBytes: 4_000_000,
    }))
    const { responses } = await client.request(fetchApi, 12, {
      maxWaitMs: 1000,
      minBytes: 1,
      maxBytes: 50_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: 'large', partitions: asked }],
    })
    for (const { partitionIndex, records } of responses[0]?.partitions ?? []) {
      for (const batch of batchesIn(records)) {
        found[partitionIndex]?.push(beginningOf(batch))
        offsets[partitionIndex] = batch.lastOffset + 1
      }
    }
  }
  return found
}

function batchesIn(bytes: Buffer | null): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; bytes !== null && at < bytes.length;) {
    const batch = RecordBatch.at(bytes, at)
    batches.push(batch)
    at += batch.sizeInBytes
  }
  return batches
}

function beginningOf(batch: RecordBatch): string {
  expect(batch.isCrcValid()).toBe(true)
  const [first] = batch.records(1_000_000)
  return first?.value?.toString('latin1', 0, 24) ?? ''
}

describe('a broker with a data folder', () => {
  it('never mixes what large requests and responses of several clients hold', async () => {
    await withBroker(async (broker) => {
      await using producer = await connect(broker)
      const readers = await Promise.all(Array.from({ length: 3 }, () => connect(broker)))
      const expected = Array.from({ length: partitions }, (_, index) =>
        Array.from({ length: rounds }, (_each, round) =>
          `partition ${index}, round ${round};0;partition`.slice(0, 24),
        ),
      )
      await produceAll(producer)
      const found = await Promise.all(readers.map(readAll))
      expect(found).toEqual(readers.map(() => expected))
      await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()))
    })
  })
})
