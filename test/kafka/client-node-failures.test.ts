/**
 * Promise: whatever nodes of Apache Kafka die and come back, records that were acknowledged are there once and
 * in order, groups commit what they have handled, and transactions are there as a whole or not at all.
 */
import { setTimeout as after } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createTopicsApi } from '../../src/protocol/index.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import { assertHistory, recordHistory, type PolledRecord } from '../../src/testing/index.ts'
import { WireClient } from '../../src/testing/wire-client.ts'
import { readToEnd, runCommittingMember, runProducer, runTransformer } from './client-workload.ts'
import { startRealKafka, type RealKafka } from './real-kafka.ts'

const partitionCount = 3
const topics = ['orders', 'source', 'target'] as const
/** How long a node is gone, and how long all are there before the next one goes. */
const goneMs = 1500
const quietMs = 2000

const properties = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.heartbeat.interval.ms': '500',
}

async function createTopics(bootstrap: string): Promise<void> {
  const platform = createNodePlatform()
  const [host = '', port] = (bootstrap.split(',')[0] ?? '').split(':')
  await using wire = await WireClient.connect({ platform, host, port: Number(port), clientId: 't' })
  const answer = await wire.request(createTopicsApi, 7, {
    topics: topics.map((name) => ({
      ...{ name, numPartitions: partitionCount, replicationFactor: 3 },
      ...{ assignments: [], configs: [] },
    })),
  })
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0])
}

/** Kills each node once, without warning, and starts it again. */
async function failNodes(kafka: RealKafka): Promise<void> {
  for (const node of kafka.nodes) {
    await after(quietMs)
    await node.kill()
    await after(goneMs)
    await kafka.start(node)
  }
  await after(quietMs)
}

function partitionsOf(topic: string) {
  return Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
}

function valuesOf(records: readonly PolledRecord[], topic: string): string[] {
  return records.filter((record) => record.topic === topic).map(({ value }) => String(value))
}

it('each node killed once under load', { timeout: 300_000 }, async () => {
  await using kafka = await startRealKafka({ nodes: 3, properties })
  await createTopics(kafka.bootstrap)
  const history = recordHistory({ now: () => performance.now() })
  await using client = createClient({ brokers: kafka.bootstrap, log: silentLog })
  let produces = true
  let reads = true
  const producing = { client, history, goesOn: () => produces }
  const reading = { client, history, goesOn: () => reads }
  const group = (groupId: string, groupProtocol: 'classic' | 'consumer') =>
    ({ groupId, groupProtocol, offsetReset: 'earliest', heartbeatIntervalMs: 500 }) as const
  const producers = [
    runProducer({ ...producing, name: 'producer-1' }, 'orders', partitionCount),
    runProducer({ ...producing, name: 'producer-2' }, 'source', partitionCount),
  ]
  const readers = [
    runCommittingMember({ ...reading, name: 'member-1' }, 'orders', group('billing', 'classic')),
    runCommittingMember({ ...reading, name: 'member-2' }, 'orders', group('billing', 'classic')),
    runTransformer({ ...reading, name: 'made-1' }, 'source', 'target', group('made', 'consumer')),
    runTransformer({ ...reading, name: 'made-2' }, 'source', 'target', group('made', 'consumer')),
  ]
  const all = Promise.all([...producers, ...readers])
  await Promise.race([all, failNodes(kafka)])
  produces = false
  await Promise.all(producers)
  // Everything that was sent has been made something of, unless it never comes to that.
  const source = await readToEnd({ client, history, name: 'source-reader' }, partitionsOf('source'))
  let round = 0
  await expect
    .poll(
      async () => {
        const name = `target-reader-${++round}`
        const made = await readToEnd({ client, history, name }, partitionsOf('target'))
        return made.length
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThanOrEqual(source.length)
  reads = false
  await all
  history.note({ process: 'final-reader', kind: 'final' })
  const final = { client, history, name: 'final-reader' }
  const read = await readToEnd(final, topics.flatMap(partitionsOf))
  assertHistory(history, {
    replay: 'node scripts/test-kafka.js --implementation kafka-4.1 failures',
  })
  const made = valuesOf(read, 'target').map((value) => value.split('>')[0])
  expect(made.sort()).toEqual(valuesOf(read, 'source').sort())
  expect(valuesOf(read, 'orders').length).toBeGreaterThan(100)
})
