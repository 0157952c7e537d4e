/**
 * Promise: on any Kafka a record that fails is tried as often as it is owed, and then put away as it was.
 *
 * Proves: 1, 4
 */
import { expect } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../src/contract/index.ts'
import type { ProducerRecord } from '../../src/client/index.ts'
import { FailureDecision } from '../../src/runtime/index.ts'
import type { ReadRecord } from './client-steps.ts'
import { runtimeConformance, soonest, until } from './runtime-world.ts'
import type { RuntimeWorld } from './runtime-world.ts'

/** Bytes that are no text, so that nobody can have read and written them anew. */
const odd = Buffer.from([0x00, 0xff, 0xc3, 0x28, 0x0a])

/** The bytes of the records in the first partition of a topic. */
async function bytesIn(world: RuntimeWorld, topic: string) {
  await using consumer = world.client.consumer({ offsetReset: 'earliest' })
  const place = { topic, partition: 0 }
  consumer.assign([place])
  const [end] = await consumer.endOffsets([place])
  const records: {
    key: Buffer | null
    value: Buffer | null
    headers: [string, Buffer | null][]
  }[] = []
  while (records.length < (end?.offset ?? 0)) {
    for (const batch of await consumer.poll()) {
      for (const { key, value, headers } of batch) {
        const copies = headers.map((each): [string, Buffer | null] => [
          each.key,
          copyOf(each.value),
        ])
        records.push({ key: copyOf(key), value: copyOf(value), headers: copies })
      }
    }
  }
  return records
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}

async function untilLetters(
  world: RuntimeWorld,
  topic: string,
  count: number,
  partitions = 1,
): Promise<ReadRecord[]> {
  let letters: ReadRecord[] = []
  await until(async () => {
    letters = await world.recordsIn(topic, { partitions })
    expect(letters).toHaveLength(count)
  })
  return letters
}

function header({ headers }: ReadRecord, name: string): string | null | undefined {
  return headers.find(([each]) => each === name)?.[1]
}

runtimeConformance('runtime: failures', {
  'attempts are counted over a restart, and after the last one there is a letter': async (
    world,
  ) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    await world.send([{ topic, key: 'k', value: 'bad' }])
    const attempts: number[] = []
    const first = await world.records({
      ...{ topics: topic, groupId },
      // The second attempt is minutes away: the restart is in the pause before it.
      retry: { attempts: 4, delayMs: 600_000, delayMsMax: 600_000, withinMs: 3_600_000 },
      handler: (_, { attempt }) => {
        attempts.push(attempt)
        throw new Error('it fails')
      },
    })
    await until(() => expect(attempts).toEqual([1]))
    await first.disconnect()
    await world.records({
      ...{ topics: topic, groupId, retry: { attempts: 4, delayMs: 1 } },
      handler: (_, { attempt }) => {
        attempts.push(attempt)
        throw new Error('it fails again')
      },
    })
    const [letter] = await untilLetters(world, `${topic}.dlq`, 1)
    expect(attempts).toEqual([1, 2, 3, 4])
    expect(header(letter as ReadRecord, 'attempts')).toBe('4')
    expect(header(letter as ReadRecord, 'error-message')).toBe('it fails again')
  },

  'a letter has key, value and all headers byte for byte, and says where it was and why': async (
    world,
  ) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    const headers: [string, Buffer | string | null][] = [
      ['twice', odd],
      ['twice', 'second'],
      ['empty', ''],
      ['nothing', null],
      ['source-topic', 'forged'],
      ['retry-count', '99999999999999999999'],
    ]
    const timestamp = Date.now() - 3_600_000
    const records: ProducerRecord[] = [
      { topic, key: odd, value: odd, headers, timestamp },
      { topic, key: 'deleted', value: null },
      { topic, value: Buffer.alloc(0) },
    ]
    await world.send(records)
    await world.records({
      ...{ topics: topic, groupId, order: 'partition' },
      handler: () => {
        throw new FailureDecision('deadLetter', 'not here')
      },
    })
    const [first] = await untilLetters(world, `${topic}.dlq`, 3)
    expect(Object.fromEntries(first?.headers ?? [])).toMatchObject({
      'source-topic': topic,
      'source-partition': '0',
      'source-offset': '0',
      'original-topic': topic,
      'original-timestamp': String(timestamp),
      'retry-count': '1',
      'error-class': 'FailureDecision',
      'error-message': 'not here',
      'consumer-group': groupId,
    })
    const letters = await bytesIn(world, `${topic}.dlq`)
    expect(letters.map(({ key, value }) => [key, value])).toEqual([
      [odd, odd],
      [Buffer.from('deleted'), null],
      [null, Buffer.alloc(0)],
    ])
    expect(letters[0]?.headers.slice(0, 4)).toEqual([
      ['twice', odd],
      ['twice', Buffer.from('second')],
      ['empty', Buffer.alloc(0)],
      ['nothing', null],
    ])
    const names = letters[0]?.headers.map(([name]) => name) ?? []
    expect(names.filter((name) => name === 'source-topic')).toHaveLength(1)
    await until(async () => expect(await world.committed(groupId, { topic, partition: 0 })).toBe(3))
  },

  'what breaks its contract is a letter at once, and what comes behind it is handled': async (
    world,
  ) => {
    const OrderPaid = defineEvent('ORDER_PAID', { data: Type.Object({ orderId: Type.String() }) })
    const orders = defineTopic(world.port.name('orders'), {
      ...{ events: [OrderPaid], partitions: 1 },
      key: ({ data }) => data.orderId,
    })
    const service = world.service()
    const paid: string[] = []
    service.consumer(orders, soonest).on(OrderPaid, ({ data }) => void paid.push(data.orderId))
    await service.start()
    const broken = ['{', '{"id":"1","type":"NOBODY_KNOWS","data":{}}', '{"__proto__":{"a":1}}']
    await world.send(broken.map((value) => ({ topic: orders.name, key: 'o-1', value })))
    await service.publish(OrderPaid, { orderId: 'o-1' })
    await until(() => expect(paid).toEqual(['o-1']))
    const letters = await untilLetters(world, `${orders.name}.dlq`, 3)
    expect(letters.map(({ value }) => value)).toEqual(broken)
    expect(letters.map((letter) => header(letter, 'error-class'))).toEqual(
      broken.map(() => 'DecodeError'),
    )
  },

  'retry topics are gone through in turn, with all attempts, and then there is a letter': async (
    world,
  ) => {
    const topic = (await world.port.topic({ partitions: 2 })).name
    const groupId = world.port.name('group')
    await world.send([
      { topic, partition: 1, key: 'k', value: 'recovers', headers: [['mine', 'kept']] },
      { topic, partition: 1, key: 'k', value: 'never' },
    ])
    const runs: string[] = []
    const places = new Set<string>()
    await world.records({
      ...{ topics: [topic], groupId },
      retry: { attempts: 2, delayMs: 1, topics: ['200ms', '400ms'], allowReorder: true },
      handler: ({ value }, context) => {
        runs.push(`${String(value)} ${context.attempt}`)
        places.add(
          `${context.topic} ${context.partition} ${context.offset} ${context.header('mine')}`,
        )
        if (String(value) !== 'recovers') throw new Error('it fails')
        if (context.attempt < 4) throw new Error('it fails for now')
      },
    })
    const [letter] = await untilLetters(world, `${topic}.dlq`, 1, 2)
    const expected = [1, 2, 3, 4].map((attempt) => `recovers ${attempt}`)
    expect(runs.filter((run) => run.startsWith('recovers'))).toEqual(expected)
    expect(runs.filter((run) => run.startsWith('never'))).toHaveLength(6)
    // Wherever it was read, a handler sees the place where it was first.
    expect([...places].sort()).toEqual([`${topic} 1 0 kept`, `${topic} 1 1 undefined`])
    expect(letter).toMatchObject({ key: 'k', value: 'never' })
    expect(header(letter as ReadRecord, 'original-offset')).toBe('1')
    expect(header(letter as ReadRecord, 'attempts')).toBe('6')
  },

  'a record that is republished comes again in its partition, as often as it may': async (
    world,
  ) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    await world.send([{ topic, key: 'k', value: 'bad' }])
    const attempts: number[] = []
    await world.records({
      ...{ topics: [topic], groupId },
      retry: { attempts: 1, republish: 2, allowReorder: true },
      handler: (_, { attempt }) => {
        attempts.push(attempt)
        throw new Error('it fails')
      },
    })
    await untilLetters(world, `${topic}.dlq`, 1)
    expect(attempts).toEqual([1, 2, 3])
    expect(await world.recordsIn(topic)).toHaveLength(3)
  },

  'skip ends a record, and stop keeps its partition until somebody says go on': async (world) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    await world.send(['skip', 'stop', 'last'].map((value) => ({ topic, key: 'k', value })))
    const seen: string[] = []
    let isMended = false
    const reader = await world.records({
      ...{ topics: topic, groupId },
      handler: ({ value }) => {
        const text = String(value)
        seen.push(text)
        if (text === 'skip') throw new FailureDecision('skip', 'not of interest')
        if (text === 'stop' && !isMended) throw new FailureDecision('stop', 'the database is gone')
      },
    })
    await until(async () => expect(await world.committed(groupId, { topic, partition: 0 })).toBe(1))
    expect(seen).toEqual(['skip', 'stop'])
    isMended = true
    await until(() => expect(reader.resumeStopped()).toEqual([{ topic, partition: 0 }]))
    await until(() => expect(seen).toEqual(['skip', 'stop', 'stop', 'last']))
  },
})
