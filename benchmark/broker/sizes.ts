import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createNodePlatform } from '../../src/platform/index.ts'
import {
  consumerGroupHeartbeatApi,
  createTopicsApi,
  findCoordinatorApi,
  metadataApi,
  produceApi,
} from '../../src/protocol/index.ts'
import { WireClient } from '../../src/testing/index.ts'
import { copyBuild } from '../side-by-side.ts'
import { batchOf } from './client.ts'
import { HostedBroker } from './soak/hosted-broker.ts'

/*
 * `npm run bench:broker -- --sizes` comes here: many partitions, many members of one group, many
 * connections. Says what each took, and fails when anything falls over.
 */
const { values: given } = parseArgs({
  options: {
    sizes: { type: 'boolean' },
    partitions: { type: 'string', default: '100000' },
    members: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '5000' },
  },
})

const platform = createNodePlatform()
const built = copyBuild('sizes')
const rows: string[] = []

async function measured(
  what: string,
  work: (client: WireClient, broker: HostedBroker) => Promise<string>,
): Promise<void> {
  await using broker = await HostedBroker.start(built, {})
  await using client = await connect(broker)
  const before = await broker.sample()
  const startedMs = performance.now()
  const found = await work(client, broker)
  const seconds = (performance.now() - startedMs) / 1000
  const { residentBytes } = await broker.sample()
  const added = (residentBytes - before.residentBytes) / 1_048_576
  rows.push(`| ${what} | ${seconds.toFixed(1)} | ${added.toFixed(0)} | ${found} |`)
  process.stderr.write(`${rows.at(-1)}\n`)
}

function connect({ bootstrap }: HostedBroker): Promise<WireClient> {
  const [host = '', port = ''] = bootstrap.split(':')
  return WireClient.connect({ platform, host, port: Number(port) })
}

async function createTopic(client: WireClient, name: string, partitions: number): Promise<void> {
  const topic = { name, numPartitions: partitions, replicationFactor: 1 }
  const { topics } = await client.request(createTopicsApi, 5, {
    topics: [{ ...topic, assignments: [], configs: [] }],
    timeoutMs: 60_000,
  })
  if (topics[0]?.errorCode !== 0) throw new Error(`${name}: error ${String(topics[0]?.errorCode)}`)
}

async function manyPartitions(client: WireClient): Promise<string> {
  const topics = 100
  const each = Number(given.partitions) / topics
  for (let topic = 0; topic < topics; topic++) await createTopic(client, `topic-${topic}`, each)
  const startedMs = performance.now()
  const metadata = await client.request(metadataApi, 9, { topics: null })
  const metadataMs = performance.now() - startedMs
  const known = metadata.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  if (known !== each * topics) throw new Error(`metadata has ${known} partitions`)
  const batch = batchOf(1, 100)
  for (let topic = 0; topic < topics; topic++) {
    const { responses } = await client.request(produceApi, 9, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: `topic-${topic}`, partitionData: [{ index: each - 1, records: batch }] }],
    })
    const code = responses[0]?.partitionResponses[0]?.errorCode
    if (code !== 0) throw new Error(`produce: error ${String(code)}`)
  }
  return `metadata of all in ${metadataMs.toFixed(0)} ms; written to one of each of ${topics} topics`
}

/** Members of the consumer protocol, many to a connection, until each has its partition. */
async function manyMembers(client: WireClient, broker: HostedBroker): Promise<string> {
  const count = Number(given.members)
  await createTopic(client, 'shared', count)
  await client.request(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['many'] })
  const members = Array.from({ length: count }, (): Member => ({
    id: randomUUID(),
    epoch: 0,
    held: [],
  }))
  const isSettled = ({ held }: Member) =>
    held.length === 1 && held.every(({ partitions }) => partitions.length === 1)
  const links = await Promise.all(Array.from({ length: 20 }, () => connect(broker)))
  const beat = async (member: Member, at: number) => {
    const link = links[at % links.length] as WireClient
    const answer = await link.request(consumerGroupHeartbeatApi, 0, {
      groupId: 'many',
      memberId: member.id,
      memberEpoch: member.epoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: member.epoch === 0 ? ['shared'] : null,
      serverAssignor: null,
      topicPartitions: [...member.held],
    })
    if (answer.errorCode !== 0) throw new Error(`heartbeat: error ${answer.errorCode}`)
    member.epoch = answer.memberEpoch
    if (answer.assignment !== null) member.held = answer.assignment.topicPartitions
  }
  let rounds = 0
  do {
    rounds += 1
    for (let at = 0; at < count; at += 100) {
      await Promise.all(
        members.slice(at, at + 100).map((member, index) => beat(member, at + index)),
      )
    }
  } while (rounds < 50 && !members.every(isSettled))
  await Promise.all(links.map((link) => link[Symbol.asyncDispose]()))
  if (!members.every(isSettled)) {
    throw new Error('not every member has its partition')
  }
  return `each has one of ${count} partitions after ${rounds} rounds of heartbeats`
}

interface HeldTopic {
  readonly topicId: string
  readonly partitions: readonly number[]
}

interface Member {
  readonly id: string
  epoch: number
  /** What it was told last. */
  held: readonly HeldTopic[]
}

async function manyConnections(_client: WireClient, broker: HostedBroker): Promise<string> {
  const count = Number(given.connections)
  const links: WireClient[] = []
  for (let at = 0; at < count; at += 100) {
    const more = Array.from({ length: Math.min(100, count - at) }, () => connect(broker))
    links.push(...(await Promise.all(more)))
  }
  const ask = (link: WireClient) => link.request(metadataApi, 9, { topics: [] })
  for (let at = 0; at < count; at += 500) await Promise.all(links.slice(at, at + 500).map(ask))
  const { files, residentBytes } = await broker.sample()
  await Promise.all(links.map((link) => link[Symbol.asyncDispose]()))
  const eachKb = residentBytes / 1024 / count
  return `all answered, ${files} files open, ${eachKb.toFixed(0)} KiB of resident memory each`
}

const number = (text: string) => Number(text).toLocaleString('en')
await measured(`${number(given.partitions)} partitions`, manyPartitions)
await measured(`${number(given.members)} members in one group`, manyMembers)
await measured(`${number(given.connections)} connections`, manyConnections)
process.stdout.write(
  ['| what | s | MiB added | |', '| --- | --- | --- | --- |', ...rows, ''].join('\n'),
)
