/**
 * Promise: a transaction that nobody ends is told of, with the producer that holds it, and measured.
 *
 * Proves: 6
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../client/index.ts'
import type { LogFields } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import { ControlledClock, startBroker } from '../testing/index.ts'
import { createService } from './create.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const log = () => undefined
const stuck = 'a transaction stays open for longer than it should'

describe('a transaction that stays open', () => {
  it('is named when it holds back what a consumer reads', async () => {
    await using kafka = await startBroker({
      properties: { 'group.initial.rebalance.delay.ms': '0' },
    })
    await kafka.createTopic('orders', { partitions: 1 })
    await using client = createClient({ brokers: kafka.bootstrap, log })
    await using producer = client.transactionalProducer({
      transactionalId: 'forgetful',
      transactionTimeoutMs: 600_000,
    })
    const platform = createNodePlatform()
    const clock = new ControlledClock(platform.clock)
    const logged: LogFields[] = []
    await using service = createService({
      ...{ name: 'pricing', metrics: false, platform: { ...platform, clock } },
      kafka: { brokers: kafka.bootstrap, log },
      log: (_level, message, fields = {}) => {
        if (message.startsWith(stuck)) logged.push(fields)
      },
    })
    const handled: string[] = []
    service.records('orders', ({ value }) => void handled.push(String(value)), {
      start: 'earliest',
      exactlyOnce: { transactionTimeoutMs: 5_000 },
      group: { groupProtocol: 'classic', sessionTimeoutMs: 60_000 },
    })
    await service.start()
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    const work = producer.transaction(async (transaction) => {
      await transaction.send([{ topic: 'orders', value: 'late' }])
      await ended
    })
    const held = () => {
      const line = /^millrace_last_stable_offset_stuck_seconds\{.*\} (\S+)$/m
      return Number(line.exec(service.metrics.expose())?.[1])
    }
    await soon(async () => {
      await clock.advance(1_000)
      expect(logged).toHaveLength(1)
    })
    const [batch] = kafka.batches('orders')
    expect(logged[0]).toMatchObject({ topic: 'orders', partition: 0, lastStableOffset: 0, end: 1 })
    expect(logged[0]?.['producerId']).toBe(batch?.producerId)
    expect(held()).toBeGreaterThanOrEqual(5)
    end()
    await work
    await soon(() => expect(handled).toEqual(['late']))
    await soon(async () => {
      await clock.advance(1_000)
      expect(held()).toBe(0)
    })
    expect(logged).toHaveLength(1)
  })
})
