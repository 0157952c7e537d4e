/**
 * Runs cases on @confluentinc/kafka-javascript (librdkafka in Node) and prints a line for each.
 * Usage: main.mjs client's-folder broker-as-JSON [part of a name]
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'

const caseTimeoutMs = 60_000
const patienceMs = 30_000
const pauseMs = 20

const [folder, brokerText, only = ''] = process.argv.slice(2)
const { KafkaJS } = createRequire(`${folder}/`)('@confluentinc/kafka-javascript')
const { CompressionTypes, Kafka, logLevel } = KafkaJS
const broker = JSON.parse(brokerText)

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

  kafka(kafkaJS = {}, more = {}) {
    const brokers = broker.bootstrap.split(',')
    return new Kafka({ ...more, kafkaJS: { brokers, logLevel: logLevel.NOTHING, ...kafkaJS } })
  }

  async #open(client) {
    await client.connect()
    this.#opened.push(client)
    return client
  }

  admin(kafka = this.kafka()) {
    return this.#open(kafka.admin())
  }

  producer(kafkaJS = {}) {
    return this.#open(this.kafka().producer({ kafkaJS }))
  }

  async topic(numPartitions) {
    const admin = await this.admin()
    const topic = name('topic')
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] })
    return topic
  }

  /** A consumer that runs, and the records that it has read. */
  async consumer(topic, groupId = name('group'), more = {}) {
    const consumer = await this.#open(
      this.kafka().consumer({
        kafkaJS: { groupId, fromBeginning: true, readUncommitted: false, autoCommit: false },
        ...more,
      }),
    )
    const records = []
    await consumer.subscribe({ topic })
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push({ partition, ...message })
      },
    })
    return { consumer, records }
  }

  async close() {
    await Promise.allSettled(this.#opened.reverse().map((client) => client.disconnect()))
  }
}

/** What the add-on was compiled without. */
class Skipped extends Error {}

async function roundTrip(world, codec) {
  const topic = await world.topic(3)
  const producer = await world.producer({ compression: CompressionTypes[codec] }).catch((error) => {
    if (!error.message.includes('not available at build time')) throw error
    throw new Skipped(`librdkafka was built without ${codec.toLowerCase()} here`)
  })
  const messages = Array.from({ length: 50 }, (_, n) => ({
    key: `key-${n}`,
    value: n === 7 ? null : `value-${n}`.repeat(20),
    headers: { n: String(n) },
  }))
  // It makes buffers of what it is given, where it lies.
  const written = await producer.send({ topic, messages: structuredClone(messages) })
  assert.equal(written.length > 0, true)
  const { records } = await world.consumer(topic)
  await until('all records', () => records.length >= messages.length)
  const byKey = new Map(records.map((record) => [String(record.key), record]))
  for (const { key, value, headers } of messages) {
    const read = byKey.get(key)
    assert.equal(read.value === null ? null : String(read.value), value)
    assert.equal(String(read.headers.n), headers.n)
  }
}

async function group(world, protocol) {
  const topic = await world.topic(4)
  const groupId = name('group')
  const more = protocol === 'consumer' ? { 'group.protocol': 'consumer' } : {}
  const settings = protocol === 'consumer' ? more : { 'session.timeout.ms': 6000 }
  const members = [await world.consumer(topic, groupId, settings)]
  members.push(await world.consumer(topic, groupId, settings))
  const assigned = () => members.map(({ consumer }) => consumer.assignment().length)
  await until('both members have two partitions', () => String(assigned()) === '2,2')
  const producer = await world.producer()
  const messages = Array.from({ length: 40 }, (_, n) => ({ key: `k-${n}`, value: `${n}` }))
  await producer.send({ topic, messages })
  const count = () => members.reduce((sum, { records }) => sum + records.length, 0)
  await until('all records', () => count() === messages.length)
  await members[1].consumer.disconnect()
  await until('the other has all partitions', () => members[0].consumer.assignment().length === 4)
}

async function transactions(world) {
  const topic = await world.topic(2)
  const producer = await world.producer({ transactionalId: name('producer') })
  for (const [value, commits] of [
    ['committed', true],
    ['aborted', false],
    ['last', true],
  ]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ key: 'k', value }] })
    await (commits ? transaction.commit() : transaction.abort())
  }
  const { records } = await world.consumer(topic)
  await until('the last record', () => records.some(({ value }) => String(value) === 'last'))
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['committed', 'last'],
  )
}

async function offsets(world) {
  const topic = await world.topic(1)
  const groupId = name('group')
  const producer = await world.producer({ transactionalId: name('producer') })
  const { consumer } = await world.consumer(topic, groupId)
  await until('the partition', () => consumer.assignment().length === 1)
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value: 'x' }, { value: 'y' }] })
  await transaction.sendOffsets({
    consumer,
    topics: [{ topic, partitions: [{ partition: 0, offset: '2' }] }],
  })
  await transaction.commit()
  const admin = await world.admin()
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.equal(committed.partitions[0].offset, '2')
}

async function administration(world) {
  const admin = await world.admin()
  const topic = await world.topic(2)
  assert.ok((await admin.listTopics()).includes(topic))
  const producer = await world.producer()
  await producer.send({ topic, messages: [{ value: 'x', partition: 1 }] })
  const ends = await admin.fetchTopicOffsets(topic)
  assert.deepEqual(ends.map(({ partition, high }) => [partition, high]).sort(), [
    [0, '0'],
    [1, '1'],
  ])
  const groupId = name('group')
  const { consumer, records } = await world.consumer(topic, groupId)
  await until('the record', () => records.length === 1)
  const { groups } = await admin.describeGroups([groupId])
  assert.equal(groups[0].members.length, 1)
  await consumer.disconnect()
  const [deleted] = await admin.deleteGroups([groupId])
  assert.equal(deleted.groupId, groupId)
  await admin.deleteTopics({ topics: [topic] })
  await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
}

async function login(world, mechanism) {
  const as = (password) =>
    world.kafka({
      brokers: broker.saslBootstrap.split(','),
      connectionTimeout: 2_000,
      sasl: { mechanism, username: broker.user, password },
    })
  const admin = await world.admin(as(broker.password))
  assert.ok(Array.isArray(await admin.listTopics()))
  // librdkafka tries again after a refusal: what it was told shows in a log, not in an error.
  const refused = await world.admin(as('wrong'))
  await assert.rejects(refused.listTopics({ timeout: 2_000 }))
}

async function tls(world) {
  const brokers = broker.tlsBootstrap.split(',')
  const trusting = { 'security.protocol': 'ssl', 'ssl.ca.location': broker.authorityFile }
  const admin = await world.admin(world.kafka({ brokers }, trusting))
  assert.ok(Array.isArray(await admin.listTopics()))
}

const cases = new Map([
  ...['None', 'GZIP', 'SNAPPY', 'LZ4', 'ZSTD'].map((codec) => [
    `records, ${codec.toLowerCase()}: come back as they were`,
    (world) => roundTrip(world, codec),
  ]),
  ['group, classic protocol: members join and leave', (world) => group(world, 'classic')],
  ['group, consumer protocol: members join and leave', (world) => group(world, 'consumer')],
  ['transactions: committed and aborted', transactions],
  ['transactions: with offsets', offsets],
  ['administration', administration],
  ...['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism) => [
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
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error('not done in time')), caseTimeoutMs).unref()
    })
    await Promise.race([body(world), late])
    console.log(`PASS ${what} ${Date.now() - started}`)
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`SKIP ${what}: ${error.message}`)
      continue
    }
    allPassed = false
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`FAIL ${what} ${Date.now() - started}: ${reason.replace(/\s*\n\s*/g, ' | ')}`)
  } finally {
    await world.close()
  }
}
process.exit(allPassed ? 0 : 1)
