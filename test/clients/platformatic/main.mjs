/**
 * Runs cases on @platformatic/kafka, which needs a newer Node than this project, and prints a line for each.
 * Usage: main.mjs client's-entry broker-as-JSON [part of a name]
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const caseTimeoutMs = 30_000
const patienceMs = 30_000
const pauseMs = 20

const [entry, brokerText, only = ''] = process.argv.slice(2)
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await import(
  pathToFileURL(entry).href
)
const broker = JSON.parse(brokerText)
const base = { clientId: 'cases', bootstrapBrokers: broker.bootstrap.split(','), retryDelay: 50 }

const name = (kind) => `${kind}-${randomUUID().slice(0, 8)}`

async function until(what, condition) {
  const deadline = Date.now() + patienceMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not reached: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** What a case opens, closed behind it. */
class World {
  #opened = []

  #open(client) {
    this.#opened.push(client)
    return client
  }

  admin(more = {}) {
    return this.#open(new Admin({ ...base, ...more }))
  }

  producer(more = {}) {
    return this.#open(new Producer({ ...base, serializers: stringSerializers, ...more }))
  }

  consumer(groupId, more = {}) {
    const settled = { groupId, deserializers: stringDeserializers, maxWaitTime: 100, ...base }
    const classic = { sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 6000 }
    const own = more.groupProtocol === 'consumer' ? {} : classic
    return this.#open(new Consumer({ ...settled, ...own, ...more }))
  }

  async topic(partitions) {
    const topic = name('topic')
    await this.admin().createTopics({ topics: [topic], partitions, replicas: 1 })
    return topic
  }

  /** Reads so many records from the beginning. */
  async read(topic, count, more = {}) {
    const consumer = this.consumer(name('group'), more)
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    const records = []
    for await (const record of stream) {
      records.push(record)
      if (records.length >= count) break
    }
    return records
  }

  /** Only a consumer can be told to close whatever it does. */
  async close() {
    const closing = this.#opened
      .reverse()
      .map((client) => (client instanceof Consumer ? client.close(true) : client.close()))
    await Promise.allSettled(closing)
  }
}

async function roundTrip(world, compression) {
  const topic = await world.topic(3)
  const sent = Array.from({ length: 200 }, (_, index) => ({
    ...{ topic, key: `key-${index}`, value: String(index).repeat(20) },
    ...{ headers: { one: String(index) }, timestamp: BigInt(1_700_000_000_000 + index) },
  }))
  const producer = world.producer({ idempotent: true })
  await producer.send({ messages: sent, compression, acks: -1 })
  const read = new Map((await world.read(topic, sent.length)).map((one) => [one.key, one]))
  for (const { key, value, headers, timestamp } of sent) {
    const got = read.get(key)
    assert.deepEqual([got?.value, got?.timestamp], [value, timestamp])
    assert.equal(got.headers.get('one'), headers.one)
  }
}

/** A member of a group, which reads until it is closed. */
async function join(world, groupId, topic, more) {
  const consumer = world.consumer(groupId, more)
  const stream = await consumer.consume({
    ...{ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: 100 },
  })
  const seen = new Set()
  stream.on('data', ({ partition, offset }) => seen.add(`${partition}-${offset}`))
  stream.on('error', () => undefined)
  return { consumer, seen, leave: () => consumer.close(true) }
}

async function group(world, groupProtocol) {
  const topic = await world.topic(6)
  const groupId = name('group')
  const producer = world.producer()
  const fill = (from) =>
    producer.send({
      messages: Array.from({ length: 60 }, (_, index) => ({
        ...{ topic, key: `key-${from + index}`, value: 'value' },
      })),
    })
  const seen = (...members) => new Set(members.flatMap((member) => [...member.seen])).size
  const one = await join(world, groupId, topic, { groupProtocol })
  await fill(0)
  await until('60 records', () => seen(one) === 60)
  const two = await join(world, groupId, topic, { groupProtocol })
  await fill(60)
  await until('120 records', () => seen(one, two) === 120)
  await one.leave()
  await fill(120)
  await until('180 records', () => seen(one, two) === 180)
}

async function transactions(world) {
  const topic = await world.topic(1)
  // Without these it asks for a producer id as one that has had id 0.
  const producer = world.producer({
    ...{ transactionalId: name('tx'), idempotent: true, producerId: -1n, producerEpoch: -1 },
  })
  const expected = []
  for (let index = 0; index < 6; index++) {
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: [{ topic, key: 'key', value: `value-${index}` }] })
    // Of two aborted transactions in one response it lets the first one through.
    if (index === 2) {
      await transaction.abort()
    } else {
      await transaction.commit()
      expected.push(`value-${index}`)
    }
  }
  // By default it reads what was committed.
  const read = await world.read(topic, expected.length)
  assert.deepEqual(
    read.map(({ value }) => value),
    expected,
  )
}

async function administration(world) {
  const admin = world.admin()
  const topic = await world.topic(1)
  await admin.createPartitions({ topics: [{ name: topic, count: 3 }] })
  assert.ok((await admin.listTopics()).includes(topic))
  const resource = { resourceType: 2, resourceName: topic }
  await admin.incrementalAlterConfigs({
    resources: [
      { ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '4321' }] },
    ],
  })
  await until('it is altered', async () => {
    const [described] = await admin.describeConfigs({
      resources: [{ ...resource, configurationKeys: ['retention.ms'] }],
    })
    return described.configs[0]?.value === '4321'
  })
  const groupId = name('group')
  await admin.alterConsumerGroupOffsets({
    groupId,
    topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 0n }] }],
  })
  assert.ok((await admin.listGroups()).has(groupId))
  await admin.deleteGroups({ groups: [groupId] })
  await admin.deleteTopics({ topics: [topic] })
  await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
}

async function login(world, mechanism) {
  const more = { bootstrapBrokers: [broker.saslBootstrap], retries: 0 }
  const credentials = (password) => ({ mechanism, username: broker.user, password })
  await world.admin({ ...more, sasl: credentials(broker.password) }).listTopics()
  await assert.rejects(world.admin({ ...more, sasl: credentials('wrong') }).listTopics())
}

async function tls(world) {
  const more = { bootstrapBrokers: [broker.tlsBootstrap], retries: 0 }
  const ca = readFileSync(broker.authorityFile)
  await world.admin({ ...more, tls: { ca } }).listTopics()
  await assert.rejects(world.admin({ ...more, tls: {} }).listTopics())
}

const cases = new Map([
  ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => [
    `records, ${codec}: come back as they were`,
    (world) => roundTrip(world, codec),
  ]),
  ['group, classic protocol: members join and leave', (world) => group(world, 'classic')],
  ['group, consumer protocol: members join and leave', (world) => group(world, 'consumer')],
  ['transactions: committed and aborted', transactions],
  ['administration', administration],
  ...['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => [
    `security: ${mechanism} logs in, and refuses a wrong password`,
    (world) => login(world, mechanism),
  ]),
  ['security: TLS', tls],
])

let allPassed = true
for (const [what, body] of cases) {
  if (!what.includes(only)) continue
  const started = Date.now()
  const world = new World()
  try {
    const late = new Promise((_, reject) =>
      setTimeout(() => reject(new Error('not done in time')), caseTimeoutMs).unref(),
    )
    await Promise.race([body(world), late])
    console.log(`PASS ${what} ${Date.now() - started}`)
  } catch (error) {
    allPassed = false
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`FAIL ${what} ${Date.now() - started}: ${reason.replace(/\s*\n\s*/g, ' | ')}`)
  } finally {
    await world.close()
  }
}
process.exit(allPassed ? 0 : 1)
