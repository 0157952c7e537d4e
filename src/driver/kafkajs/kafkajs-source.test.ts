import { describe, expect, it, vi } from 'vitest'
import type { TopicPartition } from '../../client/index.ts'
import type { SourceBatch, SourceOptions } from '../driver.ts'
import { createKafkaJsDriver } from '../kafkajs.ts'
import { FakeKafkaJs } from './fixture/fake-kafkajs.ts'
import type { FakeConsumer } from './fixture/fake-kafkajs.ts'

const first = { topic: 'orders', partition: 0 }
const at = (offset: number) => [{ ...first, offset, leaderEpoch: -1, metadata: 'text' }]
const offsetsOf = (batches: readonly SourceBatch[]) =>
  batches.flatMap((batch) => [...batch].map(({ offset }) => offset))

/** A source that was subscribed, and what its callbacks were told. */
function subscribed(options: Partial<SourceOptions> = {}) {
  const kafka = new FakeKafkaJs()
  const driver = createKafkaJsDriver(kafka)
  const told: string[] = []
  const tell = (what: string) => (partitions: readonly TopicPartition[]) =>
    void told.push(`${what} ${partitions.map(({ partition }) => partition).join()}`)
  const source = driver.source({
    groupId: 'workers',
    offsetReset: 'earliest',
    heartbeatIntervalMs: 5,
    onAssigned: tell('assigned'),
    onRevoked: tell('revoked'),
    onLost: tell('lost'),
    ...options,
  })
  source.subscribe('orders')
  return { kafka, source, told, consumer: kafka.consumers[0] as FakeConsumer }
}

/** The same with partition 0 being read from its beginning. */
async function reading(options: Partial<SourceOptions> = {}) {
  const all = subscribed(options)
  await vi.waitFor(() => expect(all.consumer.isConnected).toBe(true))
  all.consumer.join(0)
  await vi.waitFor(() => expect(all.consumer.fetched.has(0)).toBe(true))
  return all
}

describe('a partition that kafkajs reads', () => {
  it('is paused until it is known where it begins, and sought there before it is fetched', async () => {
    let begin: () => void = () => undefined
    const onAssigned = () => new Promise<void>((resolve) => (begin = resolve))
    const { consumer, source } = subscribed({ onAssigned })
    await vi.waitFor(() => expect(consumer.isConnected).toBe(true))
    consumer.join(0)
    expect(consumer.fetched.size).toBe(0)
    await vi.waitFor(() => {
      begin()
      expect(consumer.seeks).toEqual(['0:0'])
    })
    expect(consumer.fetched).toEqual(new Set([0]))
    await source.close()
  })

  it('counts only from where the last batch has ended; kafkajs is sent back once', async () => {
    const { consumer, source } = await reading()
    void consumer.bring(0, 0, 3)
    expect(offsetsOf(await source.poll())).toEqual([0, 1, 2])
    await consumer.bring(0, 7, 9)
    expect(consumer.fetched.size).toBe(0)
    await vi.waitFor(() => expect(consumer.seeks).toEqual(['0:0', '0:3']))
    // It was sent to 3, and there is nothing before 7.
    await consumer.bring(0, 7, 9)
    await vi.waitFor(() => expect(consumer.seeks).toEqual(['0:0', '0:3', '0:7']))
    void consumer.bring(0, 7, 9)
    expect(offsetsOf(await source.poll())).toEqual([7, 8])
    await source.close()
  })

  it('goes on behind what is nobody is to see, but not by what was fetched before a seek', async () => {
    const { consumer, source } = await reading()
    consumer.passOver(0, 0, 4)
    consumer.passOver(0, 50, 59)
    void consumer.bring(0, 5, 6)
    expect(offsetsOf(await source.poll())).toEqual([5])
    await consumer.bring(0, 6, 7, true)
    expect(await source.poll({ timeoutMs: 5 })).toEqual([])
    await source.close()
  })

  it('is told to be lost when kafkajs has gone elsewhere, and what was committed is put back', async () => {
    const onAssigned = () => source.seek(first, 0)
    const { kafka, consumer, source } = subscribed({ offsetReset: 'none', onAssigned })
    await vi.waitFor(() => expect(consumer.isConnected).toBe(true))
    consumer.join(0)
    await vi.waitFor(() => expect(consumer.fetched.has(0)).toBe(true))
    void consumer.bring(0, 0, 3)
    await source.poll()
    await source.commit(at(3))
    kafka.low = 20
    await consumer.bring(0, 20, 25)
    await expect(source.poll()).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_OFFSET_LOST' })
    await vi.waitFor(() => expect(consumer.commits).toHaveLength(2))
    expect(consumer.commits[1]).toEqual([{ ...first, offset: '3', metadata: 'text' }])
    await source.close()
  })
})

describe('a batch that nobody polls', () => {
  it('holds kafkajs, with heartbeats, until it is polled', async () => {
    const { consumer, source } = await reading()
    let isTaken = false
    const brought = consumer.bring(0, 0, 3).then(() => (isTaken = true))
    await vi.waitFor(() => expect(consumer.heartbeatCount).toBeGreaterThan(2))
    expect(isTaken).toBe(false)
    await source.poll({ maxRecords: 2 })
    expect(isTaken).toBe(false)
    await source.poll()
    await brought
    expect(consumer.fetched.has(0)).toBe(true)
    await source.close()
  })

  it('lets kafkajs go when its partition is paused, which is fetched again when it was polled', async () => {
    const { consumer, source } = await reading()
    const brought = consumer.bring(0, 0, 3)
    source.pause([first])
    await brought
    expect(consumer.fetched.size).toBe(0)
    source.resume([first])
    expect(consumer.fetched.size).toBe(0)
    expect(offsetsOf(await source.poll())).toEqual([0, 1, 2])
    expect(consumer.fetched.has(0)).toBe(true)
    await source.close()
  })
})

describe('a commit', () => {
  it('that kafkajs answers and has not made is none', async () => {
    const { consumer, source } = await reading()
    consumer.commit = () => Promise.resolve()
    await expect(source.commit(at(1))).rejects.toMatchObject({ retriable: true })
    await source.close()
  })

  it('that comes to its end in another generation is none, and the next waits for it', async () => {
    const { consumer, source, told } = await reading()
    const { commit } = consumer
    let answer: () => void = () => undefined
    consumer.commit = async (offsets) => {
      await new Promise<void>((resolve) => (answer = resolve))
      await commit(offsets)
    }
    const committed = source.commit(at(1))
    await vi.waitFor(() => expect(consumer.commits).toHaveLength(1))
    consumer.emit('rebalancing', {})
    consumer.join(0)
    await vi.waitFor(() => expect(told).toContain('lost 0'))
    expect(told).toEqual(['assigned 0', 'lost 0'])
    answer()
    await expect(committed).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_NOT_OWNED' })
    await vi.waitFor(() => expect(told).toEqual(['assigned 0', 'lost 0', 'assigned 0']))
    await source.close()
  })
})

describe('the membership', () => {
  it('is lost with all it had when kafkajs joins anew without a word', async () => {
    const { consumer, source, told } = await reading()
    const brought = consumer.bring(0, 0, 3)
    consumer.join(1)
    await brought
    await vi.waitFor(() => expect(told).toEqual(['assigned 0', 'lost 0', 'assigned 1']))
    expect(await source.poll({ timeoutMs: 5 })).toEqual([])
    await expect(source.commit(at(1))).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_NOT_OWNED' })
    await source.close()
    expect(told.at(-1)).toBe('revoked 1')
  })

  it('ends with an error when kafkajs gives up, and goes on when it does not', async () => {
    const { consumer, source, told } = await reading()
    consumer.emit('crash', { error: new Error('passing'), restart: true })
    expect(await source.poll({ timeoutMs: 5 })).toEqual([])
    expect(told).toEqual(['assigned 0', 'lost 0'])
    consumer.emit('crash', { error: new Error('for good'), restart: false })
    await expect(source.poll()).rejects.toThrow(/for good/)
    await source.close()
  })

  it('ends when the application cannot take what it is given', async () => {
    const onAssigned = () => Promise.reject(new Error('no room'))
    const { consumer, source } = subscribed({ onAssigned })
    await vi.waitFor(() => expect(consumer.isConnected).toBe(true))
    consumer.join(0)
    await expect(source.poll()).rejects.toThrow(/no room/)
    await expect(source.poll()).rejects.toThrow(/no room/)
    await source.close()
  })

  it('is not taken up again by kafkajs after a close', async () => {
    const { consumer, source } = await reading()
    const mayRestart = () => consumer.config.retry.restartOnFailure?.(new Error('no'))
    expect(await mayRestart()).toBe(true)
    await source.close()
    expect(await mayRestart()).toBe(false)
    expect(consumer.isConnected).toBe(false)
  })
})
