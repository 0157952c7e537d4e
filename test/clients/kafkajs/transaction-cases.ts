import assert from 'node:assert/strict'
import { until, valueOf, type Case, type Cluster } from './cluster.ts'

function transactional(cluster: Cluster, transactionalId: string): ReturnType<Cluster['producer']> {
  return cluster.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
}

async function commitAndAbort(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const producer = await transactional(cluster, cluster.name('tx'))
  const expected: string[] = []
  for (let index = 0; index < 10; index++) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: `value-${index}` }] })
    if (index % 3 === 1) {
      await transaction.abort()
    } else {
      await transaction.commit()
      expected.push(`value-${index}`)
    }
  }
  const committed = await cluster.read(topic, expected.length)
  assert.deepEqual(committed.map(valueOf), expected)
}

async function offsetsWithIt(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const groupId = cluster.name('group')
  const admin = await cluster.admin()
  const committedOffset = async (): Promise<string | undefined> => {
    const [fetched] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return fetched?.partitions[0]?.offset
  }
  const offsetsOf = (offset: string) => ({
    consumerGroupId: groupId,
    topics: [{ topic, partitions: [{ partition: 0, offset }] }],
  })
  // A producer each: kafkajs does not wait until the coordinator has completed a transaction.
  const one = await transactional(cluster, cluster.name('tx'))
  const aborted = await one.transaction()
  await aborted.sendOffsets(offsetsOf('5'))
  await aborted.abort()
  assert.equal(await committedOffset(), '-1')
  const two = await transactional(cluster, cluster.name('tx'))
  const committed = await two.transaction()
  await committed.sendOffsets(offsetsOf('7'))
  await committed.commit()
  // The commit is answered before its markers are written.
  await until('the offset is there', async () => (await committedOffset()) === '7')
}

/**
 * kafkajs speaks old versions, to which PRODUCER_FENCED (90) was never told: they get
 * INVALID_PRODUCER_EPOCH (47) in its place.
 */
async function fenced(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const id = cluster.name('tx')
  const first = await transactional(cluster, id)
  const transaction = await first.transaction()
  await transaction.send({ topic, messages: [{ value: 'of the first' }] })
  const second = await transactional(cluster, id)
  // kafkajs asks for its producer id only now.
  const next = await second.transaction()
  await assert.rejects(transaction.commit(), { type: 'INVALID_PRODUCER_EPOCH', code: 47 })
  await next.send({ topic, messages: [{ value: 'of the second' }] })
  await next.commit()
  assert.deepEqual((await cluster.read(topic, 1)).map(valueOf), ['of the second'])
}

export const transactionCases: readonly Case[] = [
  {
    name: 'transaction: readers see what was committed, not what was aborted',
    body: commitAndAbort,
  },
  { name: 'transaction: offsets are committed with it, or not at all', body: offsetsWithIt },
  { name: 'transaction: a fenced producer is told 47, which it knows, not 90', body: fenced },
]
