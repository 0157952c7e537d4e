import { createClient } from '../../../src/client/index.ts'
import type { Client } from '../../../src/client/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import { createNodePlatform } from '../../../src/platform/index.ts'
import { metadataApi } from '../../../src/protocol/index.ts'
import { WireClient } from '../../../src/testing/index.ts'

/** What was done so far, by what was done. */
export type Counts = Map<string, number>

/** What all the work shares. */
export interface World {
  readonly bootstrap: string
  readonly client: Client
  readonly counts: Counts
  readonly signal: AbortSignal
}

/** Something that is done again and again, each time anew. */
interface Activity {
  readonly name: string
  readonly pauseMs: number
  readonly once: (world: World, turn: number) => Promise<void>
}

const recordsAtOnce = 50
const retained = { 'segment.bytes': 1_048_576, 'retention.bytes': 2_097_152 }
const compacted = {
  'cleanup.policy': 'compact',
  'segment.bytes': 1_048_576,
  'min.cleanable.dirty.ratio': 0.1,
  'delete.retention.ms': 5_000,
}

/** What lets all that is forgotten in time be forgotten within a minute or two. */
export const soakProperties = {
  'log.retention.check.interval.ms': '5000',
  'log.cleaner.backoff.ms': '2000',
  'offsets.retention.minutes': '1',
  'offsets.retention.check.interval.ms': '10000',
  'offsets.topic.segment.bytes': '1048576',
  'offsets.topic.num.partitions': '2',
  'transaction.state.log.segment.bytes': '1048576',
  'transaction.state.log.num.partitions': '1',
  'transactional.id.expiration.ms': '60000',
  'producer.id.expiration.ms': '60000',
}

export async function makeTopics({ client }: World): Promise<void> {
  const admin = client.admin()
  await admin.topics.create({ name: 'events', partitions: 6, configs: retained })
  await admin.topics.create({ name: 'transfers', partitions: 3, configs: retained })
  await admin.topics.create({ name: 'latest', partitions: 3, configs: compacted })
}

function add({ counts }: World, what: string, count = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + count)
}

const value = 'x'.repeat(200)

function someRecords(topic: string, turn: number, keys: number) {
  return Array.from({ length: recordsAtOnce }, (_, at) => ({
    topic,
    key: `key-${(turn * recordsAtOnce + at) % keys}`,
    value,
  }))
}

/** Members of a group that comes and goes: they read a little, commit, and leave. */
async function shortGroup(world: World, turn: number): Promise<void> {
  const { client } = world
  const groupId = `group-${turn}`
  const groupProtocol = turn % 2 === 0 ? 'classic' : 'consumer'
  const member = async () => {
    await using consumer = client.consumer({
      groupId,
      groupProtocol,
      offsetReset: 'earliest',
      fetchWaitMsMax: 100,
    })
    consumer.subscribe(['events'])
    for (let poll = 0; poll < 3; poll++) {
      const batches = await consumer.poll({ maxRecords: 100, timeoutMs: 1_000 })
      for (const batch of batches) add(world, 'records read by groups', batch.recordCount)
      await consumer.commit()
    }
    await consumer.close({ leave: true })
  }
  await Promise.all([member(), member()])
  // Of the others the offsets expire.
  if (turn % 4 < 2) await client.admin().groups.delete(groupId)
  add(world, 'groups')
}

/** A producer with a new transactional id, transactions that commit and one that does not. */
async function transactions(world: World, turn: number): Promise<void> {
  await using producer = world.client.transactionalProducer({ transactionalId: `payer-${turn}` })
  for (let count = 0; count < 4; count++) {
    const transaction = await producer.begin()
    await transaction.send(someRecords('transfers', turn, 1_000).slice(0, 10))
    if (count === 3) await transaction.abort()
    else await transaction.commit()
    add(world, 'transactions')
  }
}

async function shortTopic(world: World, turn: number): Promise<void> {
  const { client } = world
  const name = `topic-${turn}`
  const admin = client.admin()
  await admin.topics.create({ name, partitions: 4 })
  await using producer = client.producer()
  await producer.send(someRecords(name, turn, 1_000))
  await admin.topics.delete(name)
  add(world, 'topics')
}

async function connections(world: World): Promise<void> {
  const [host = '', port = ''] = world.bootstrap.split(':')
  const platform = createNodePlatform()
  const connected = await Promise.all(
    Array.from({ length: 10 }, () =>
      WireClient.connect({ platform, host, port: Number(port), clientId: 'visitor' }),
    ),
  )
  for (const visitor of connected) {
    await visitor.request(metadataApi, 9, { topics: [] })
    await visitor[Symbol.asyncDispose]()
    add(world, 'connections')
  }
}

const activities: readonly Activity[] = [
  { name: 'groups', pauseMs: 2_000, once: shortGroup },
  { name: 'transactions', pauseMs: 1_000, once: transactions },
  { name: 'topics', pauseMs: 1_500, once: shortTopic },
  { name: 'connections', pauseMs: 1_000, once: connections },
]

/** Goes on until the signal; what goes wrong is thrown. */
async function repeat({ pauseMs, once }: Activity, world: World): Promise<void> {
  for (let turn = 1; !world.signal.aborted; turn++) {
    await once(world, turn)
    await pause(pauseMs, world.signal)
  }
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, delayMs)
    signal.addEventListener('abort', done)
  })
}

/** A producer that stays, for a topic with retention and for a compacted one. */
async function produce(world: World): Promise<void> {
  await using producer = world.client.producer()
  for (let turn = 1; !world.signal.aborted; turn++) {
    const results = await producer.send(someRecords('events', turn, 100_000))
    add(world, 'records written', results.length)
    const latest = someRecords('latest', turn, 1_000)
    await producer.send(turn % 10 === 0 ? latest.map((each) => ({ ...each, value: null })) : latest)
    await pause(100, world.signal)
  }
}

/** A group that stays, and misses nothing of what the producer that stays has written. */
async function consume(world: World): Promise<void> {
  await using consumer = world.client.consumer({ groupId: 'stays', offsetReset: 'earliest' })
  consumer.subscribe(['events'])
  const next = new Map<number, number>()
  while (!world.signal.aborted) {
    for (const batch of await consumer.poll({ timeoutMs: 1_000 })) {
      for (const { offset } of batch) {
        const expected = next.get(batch.partition) ?? 0
        if (offset !== expected) throw new Error(`read ${offset} where ${expected} was due`)
        next.set(batch.partition, offset + 1)
      }
      add(world, 'records read', batch.recordCount)
    }
    await consumer.commit()
  }
}

/** Does all the work at once until the signal. */
export async function work(bootstrap: string, counts: Counts, signal: AbortSignal): Promise<void> {
  const log: Log = (level, message, fields) => {
    if (level === 'info' || level === 'debug') return
    process.stderr.write(`${level}: ${message} ${JSON.stringify(fields)}\n`)
  }
  await using client = createClient({ brokers: bootstrap, log })
  const world: World = { bootstrap, client, counts, signal }
  await makeTopics(world)
  await Promise.all([
    produce(world),
    consume(world),
    ...activities.map((activity) => repeat(activity, world)),
  ])
}
