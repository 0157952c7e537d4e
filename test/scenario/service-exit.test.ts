/**
 * Promise: a service ends as the system that runs it expects: 0 when all that ran has ended and is committed, 1 when it failed,
 * 2 when handlers still ran at the deadline, and at a second signal at once. A signal under load repeats nothing.
 *
 * Proves: 3, 8
 */
import { describe, expect, it, vi } from 'vitest'
import { createProducer } from '../../src/runtime/index.ts'
import { startBroker } from '../../src/testing/index.ts'
import type { TestBroker } from '../../src/testing/index.ts'
import { ChildService } from './child-service.ts'

async function brokerWithOrders(count: number): Promise<TestBroker> {
  const broker = await startBroker({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  await broker.createTopic('orders', { partitions: 4 })
  const log = () => undefined
  await using producer = createProducer({ kafka: { brokers: broker.bootstrap, log }, log })
  await producer.send(
    Array.from({ length: count }, (_, number) => ({
      topic: 'orders',
      key: `k-${number % 50}`,
      value: String(number),
    })),
  )
  return broker
}

const begun = (child: ChildService, count: number) =>
  vi.waitFor(() => expect(child.after('begin').length).toBeGreaterThanOrEqual(count), 20_000)

describe('a service that is told to end', () => {
  it('under load ends what runs, exits with 0, and its successor repeats and leaves out nothing', async () => {
    const count = 3_000
    await using broker = await brokerWithOrders(count)
    const env = { KAFKA_BROKERS: broker.bootstrap }
    const handled: string[] = []
    for (const enough of [300, 900]) {
      await using child = new ChildService(env)
      await begun(child, enough)
      child.signal('SIGTERM')
      expect(await child.exited).toBe(0)
      expect(child.after('end').sort()).toEqual(child.after('begin').sort())
      expect(child.lines.at(-1)).toBe('the program goes on')
      handled.push(...child.after('end'))
    }
    expect(handled.length).toBeLessThan(count)
    await using last = new ChildService(env)
    await begun(last, count - handled.length)
    last.signal('SIGINT')
    expect(await last.exited).toBe(0)
    handled.push(...last.after('end'))
    expect(handled).toHaveLength(count)
    expect(new Set(handled).size).toBe(count)
  })

  it('exits with 2 when handlers still run at the deadline, and does not wait for them', async () => {
    await using broker = await brokerWithOrders(10)
    await using child = new ChildService({ KAFKA_BROKERS: broker.bootstrap, MODE: 'hang' })
    await begun(child, 1)
    child.signal('SIGTERM')
    expect(await child.exited).toBe(2)
    expect(child.after('end')).toEqual([])
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once at a second %s', async (signal, code) => {
    await using broker = await brokerWithOrders(10)
    await using child = new ChildService({ KAFKA_BROKERS: broker.bootstrap, MODE: 'hang' })
    await begun(child, 1)
    child.signal('SIGTERM')
    await vi.waitFor(() => expect(child.errors).toContain('SIGTERM: the service ends'))
    child.signal(signal)
    expect(await child.exited).toBe(code)
  })
})

describe('a service without a cluster', () => {
  // Nothing listens there: the port is for the system alone.
  const env = { KAFKA_BROKERS: '127.0.0.1:1' }

  it('exits with 1 when the time is over, and says what to look at', async () => {
    await using child = new ChildService({ ...env, CONNECT_TIMEOUT_MS: '500' })
    expect(await child.exited).toBe(1)
    expect(child.errors).toMatch(/no broker answered within connectTimeoutMs \(500\): check kafka/)
  })

  it('that is told to end while it waits exits with 0', async () => {
    await using child = new ChildService(env)
    await vi.waitFor(() => expect(child.errors).toContain('no broker answers yet'), 20_000)
    child.signal('SIGTERM')
    expect(await child.exited).toBe(0)
  })

  it('that lacks variables exits with 1 and names them', async () => {
    await using child = new ChildService({ KAFKA_BROKERS: 'kafka.example:9093' })
    expect(await child.exited).toBe(1)
    expect(child.errors).toMatch(/KAFKA_USERNAME is missing[^]*KAFKA_PASSWORD is missing/)
  })
})
