import { createTopicsApi, deleteTopicsApi } from '../../../src/protocol/index.ts'
import type { WireClient } from '../../../src/testing/index.ts'
import { connect } from '../client.ts'
import { requestRate } from '../produce-rate.ts'
import type { Aspect, Comparison } from './comparison.ts'
import type { OwnClient } from './own-client.ts'
import { measureConsumer, measureExactlyOnce, measureProducer } from './perf-tools.ts'
import type { Server, ServerName } from './servers.ts'

const partitions = 12

async function withTopic<Result>(
  server: Server,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await using client = await connectTo(server)
  await makeTopic(client, name)
  const result = await work()
  await client.request(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 30_000 })
  return result
}

async function makeTopic(client: WireClient, name: string): Promise<void> {
  const topic = { name, numPartitions: partitions, replicationFactor: 1 }
  await client.request(createTopicsApi, 5, {
    topics: [{ ...topic, assignments: [], configs: [] }],
    timeoutMs: 30_000,
  })
}

async function connectTo({ bootstrap }: Server): Promise<WireClient> {
  return connect(Number(bootstrap.split(':').at(-1)))
}

const rate = { unit: 'records/s' } as const
const cpu = { unit: 's per million records' } as const

/** Apache's own tools, and our client as a reader. */
export function perfTools(
  own: OwnClient,
  valueBytes: number,
  records: number,
  servers: readonly ServerName[],
): Comparison {
  const aspects: Aspect[] = [
    { name: `Java produce ${valueBytes} B`, ...rate, target: { atLeast: 1 } },
    { name: `broker's processor time, produce ${valueBytes} B`, ...cpu, target: { atMost: 1 } },
    { name: `Java consume ${valueBytes} B`, ...rate, target: { atLeast: 0.8 } },
    { name: `broker's processor time, consume ${valueBytes} B`, ...cpu },
    { name: `our client consume ${valueBytes} B`, ...rate, target: { atLeast: 1 } },
  ]
  const measure = async (server: Server, topic: string, count: number) =>
    withTopic(server, topic, async () => {
      const produced = await measureProducer(server, { topic, records: count, valueBytes })
      const consumed = await measureConsumer(server, { topic, records: count, valueBytes })
      const read = { kind: 'consume', topic, records: count, mode: 'batches' } as const
      // kfake sends parts of batches, which our client refuses.
      const ours = server.name === 'kfake' ? { rate: Number.NaN } : await own.run(server, read)
      return [
        produced.rate,
        produced.brokerCpuSecondsPerMillion,
        consumed.rate,
        consumed.brokerCpuSecondsPerMillion,
        ours.rate,
      ]
    })
  return {
    servers,
    aspects,
    // A broker on the Java virtual machine takes some seconds of work until it is compiled.
    prepare: async (server) => {
      await measure(server, `warm-up-${valueBytes}`, records / 2)
    },
    measure: (server, round) => measure(server, `perf-${valueBytes}-${round}`, records),
  }
}

/** Reading from the beginning of a log of so many GB on the disk. */
export function largeLog(own: OwnClient, gigabytes: number): Comparison {
  const valueBytes = 1024
  const recordsEach = gigabytes * 500_000
  const records = Math.min(1_000_000, recordsEach)
  const topic = 'large'
  return {
    servers: ['millrace --data (page cache)', 'kafka'],
    aspects: [
      { name: `Java consume 1 KiB of ${gigabytes} GB`, ...rate, target: { atLeast: 0.8 } },
      { name: `broker's processor time, consume 1 KiB of ${gigabytes} GB`, ...cpu },
      { name: `our client consume 1 KiB of ${gigabytes} GB`, ...rate, target: { atLeast: 1 } },
    ],
    async prepare(server) {
      await using client = await connectTo(server)
      await makeTopic(client, topic)
      // The tool runs twice.
      await measureProducer(server, { topic, records: recordsEach, valueBytes })
      await measureConsumer(server, { topic, records, valueBytes })
    },
    async measure(server) {
      const consumed = await measureConsumer(server, { topic, records, valueBytes })
      const ours = await own.run(server, { kind: 'consume', topic, records, mode: 'batches' })
      return [consumed.rate, consumed.brokerCpuSecondsPerMillion, ours.rate]
    },
  }
}

/** One record at a time, each awaited. */
export function singleSends(own: OwnClient, servers: readonly ServerName[]): Comparison {
  const measure = async (server: Server, topic: string) =>
    withTopic(server, topic, async () => {
      const task = { kind: 'latency', topic, warmUps: 2_000, records: 5_000, valueBytes: 350 }
      const { p50Ms = NaN, p99Ms = NaN } = await own.run(server, task as never)
      return [p50Ms, p99Ms]
    })
  return {
    servers,
    aspects: [
      { name: 'one awaited send, p50', unit: 'ms', target: { atMost: 1 } },
      { name: 'one awaited send, p99', unit: 'ms', target: { atMost: 1 } },
    ],
    prepare: async (server) => {
      await measure(server, 'latency-warm-up')
    },
    measure: (server, round) => measure(server, `latency-${round}`),
  }
}

/** Java's exactly-once loop: read, write, commit offsets, 500 records a transaction. */
export function exactlyOnce(): Comparison {
  const warmUp = 50_000
  const records = 250_000
  const from = 'from'
  const to = 'to'
  return {
    servers: ['millrace', 'millrace --data (page cache)', 'kafka'],
    aspects: [
      { name: 'Java exactly-once, 500 a transaction', ...rate, target: { atLeast: 1 } },
      { name: "broker's processor time, exactly-once", ...cpu },
    ],
    async prepare(server) {
      await using client = await connectTo(server)
      await makeTopic(client, from)
      await makeTopic(client, to)
      await measureProducer(server, { topic: from, records: records / 2, valueBytes: 350 })
      await measureExactlyOnce(server, { from, to, group: 'warm-up', records, warmUp })
    },
    async measure(server, round) {
      const task = { from, to, group: `loop-${round}`, records, warmUp }
      const measured = await measureExactlyOnce(server, task)
      return [measured.rate, measured.brokerCpuSecondsPerMillion]
    },
  }
}

/** Everything on stable storage before it is answered, on both sides. */
export function syncedProducers(): Comparison {
  const producers = 16
  return {
    servers: ['millrace --data', 'kafka (flush)'],
    aspects: [1, 5].map((inFlight) => ({
      name: `16 producers, ${inFlight} in flight, a sync before each answer`,
      unit: 'requests/s',
      target: { atLeast: 2 },
    })),
    async measure(server) {
      const found: number[] = []
      for (const inFlight of [1, 5]) {
        found.push(await requestRate(server.bootstrap, { producers, inFlight }))
      }
      return found
    },
  }
}
