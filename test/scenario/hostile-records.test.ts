/**
 * Promise: whatever stands in a record, it ends as a dead letter or by a rule, with no more attempts than it may have; the
 * process goes on, and records of other keys do not wait for it.
 */
import { gzipSync } from 'node:zlib'
import { expect, it, vi } from 'vitest'
import { createService, defineEvent, defineTopic, Type } from '../../src/index.ts'
import { createClient } from '../../src/client/index.ts'
import type { ProducerRecord } from '../../src/client/index.ts'
import { createNativeDriver } from '../../src/driver/index.ts'
import { startBroker } from '../../src/testing/index.ts'

const Paid = defineEvent('PAID', { data: Type.Object({ number: Type.Integer() }) })
const topic = 'payments'
const payments = defineTopic(topic, { events: [Paid], key: ({ data }) => `${data.number}` })
const log = () => undefined
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

const event = (number: number, changes: object = {}) =>
  JSON.stringify({ id: `e-${number}`, type: 'PAID', timestamp: 1, data: { number }, ...changes })
const deep = '{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)
const forged = (name: string, value: string): Pick<ProducerRecord, 'headers'> => ({
  headers: [[name, value]],
})

/** By how each of them has to end. */
const hostile: Readonly<Record<string, Omit<ProducerRecord, 'topic'>>> = {
  'no JSON': { value: '{' },
  empty: { value: '' },
  'nested deep': { value: deep },
  'nested deep in its data': { value: event(1).replace('"number":1', `"number":1,"more":${deep}`) },
  'a prototype': { value: event(2).replace('{"number"', '{"__proto__":{"isAdmin":true},"number"') },
  'a type from the prototype': { value: event(3, { type: '__proto__' }) },
  'broken UTF-8': { value: Buffer.concat([Buffer.from(event(4)), Buffer.from([0xc3, 0x28])]) },
  'other data': { value: event(5, { data: { number: 'five' } }) },
  'a tombstone': { value: null },
  'compressed, a thousand times smaller': { value: gzipSync(Buffer.alloc(8_000_000)) },
  'ten thousand headers': {
    value: '{',
    headers: Array.from({ length: 10_000 }, (_, index) => [`h-${index}`, 'x'] as const),
  },
  'a letter that has come back too often': { value: '{', ...forged('retry-count', '99999999999') },
  'a retry count that is none': { value: '{', ...forged('retry-count', '__proto__') },
  'the name of another topic': { value: '{', ...forged('source-topic', 'salaries') },
  'as large as the topic takes': { value: `{${' '.repeat(1_048_400)}` },
}

it('ends as a dead letter, and no other key waits', { timeout: 60_000 }, async () => {
  await using broker = await startBroker({
    properties: { 'group.initial.rebalance.delay.ms': '0' },
  })
  await broker.createTopic(topic, { partitions: 1 })
  await using driver = createNativeDriver({ brokers: broker.bootstrap, log })
  await using client = createClient({ brokers: broker.bootstrap, log })
  await using producer = client.producer({ requestBytesMax: 8_000_000 })
  const names = Object.keys(hostile)
  const good = names.length * 10
  for (const [at, [name, record]] of Object.entries(hostile).entries()) {
    await producer.send({ topic, key: `hostile ${name}`, ...record })
    const between = Array.from({ length: 10 }, (_, index) => 1_000 + at * 10 + index)
    await producer.send(
      between.map((number) => ({ topic, key: `${number}`, value: event(number) })),
    )
  }

  const handled: number[] = []
  await using service = createService({
    ...{ name: 'ledger', metrics: false, log, topics: [payments] },
    kafka: { brokers: broker.bootstrap, log },
  })
  service
    .consumer(payments, {
      start: 'earliest',
      retry: { attempts: 2, delayMs: 1, delayMsMax: 2 },
    })
    .on(Paid, ({ data }) => {
      handled.push(data.number)
    })
  await service.start()
  await soon(() => expect(handled).toHaveLength(good))
  const lettersIn = (name: string) =>
    broker.records(name, 0).map(({ key, value, headers }) => ({
      ...{ key: String(key), value, headers },
    }))
  await soon(() => {
    const letters = [...lettersIn(`${topic}.dlq`), ...lettersIn(`${topic}.dlq-poison`)]
    expect(letters.map(({ key }) => key).sort()).toEqual(names.map((n) => `hostile ${n}`).sort())
  })
  const letterOf = (name: string) => {
    const letters = [...lettersIn(`${topic}.dlq`), ...lettersIn(`${topic}.dlq-poison`)]
    return letters.find(({ key }) => key === `hostile ${name}`)
  }
  // No header says where a letter goes, or where it came from.
  expect(letterOf('the name of another topic')?.headers['source-topic']).toBe(topic)
  // What the topic has room for, its letters have room for, with what stands beside it.
  expect(letterOf('as large as the topic takes')?.value).toHaveLength(1_048_401)
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  // All of it is behind the group: nothing of it comes again.
  await soon(async () => {
    const [committed] = await driver.admin().groups.offsets('ledger')
    expect(committed).toMatchObject({ offset: good + names.length })
  })
  expect(new Set(handled).size).toBe(good)
})
