/**
 * Promise: a record that is put behind its own topic is tried again by its own group alone.
 *
 * Proves: 4
 */
import { describe, expect, it, vi } from 'vitest'
import { OptionError } from '../../errors.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import type { ConsumerOptions } from '../service/consumer-options.ts'
import { createService } from '../service/service.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

/** A group that handles records as they are. */
async function start(
  world: RuntimeWorld,
  group: string,
  handler: (value: string, attempt: number) => void,
  options: ConsumerOptions = {},
) {
  const service = createService({
    name: group,
    kafka: world.newDriver(),
    metrics: false,
    log: () => undefined,
  })
  service.records('orders', (record, { attempt }) => handler(String(record.value), attempt), {
    start: 'earliest',
    ...options,
  })
  await service.start()
  const count = (text: string) => {
    const line = service.metrics
      .expose()
      .split('\n')
      .find((each) => each.startsWith(text))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  return { service, count }
}

describe('a record that is written into its own topic again', () => {
  it('keeps what it is and where its key is; the groups of others pass over it', async () => {
    await using world = await startRuntimeWorld({ orders: 3 })
    const others: string[] = []
    const other = await start(world, 'audit', (value) => void others.push(value))
    await using _ = other.service
    const seen: [string, number][] = []
    const handler = (value: string, attempt: number) => {
      seen.push([value, attempt])
      if (value === 'bad') throw new Error('never')
    }
    const retry = { attempts: 2, delayMs: 1, republish: 2, allowReorder: true } as const
    const { service, count } = await start(world, 'billing', handler, { retry })
    await using __ = service
    const headers = {
      kind: 'first',
      'retry-count': '1',
      'retry-group': 'no copy: it is of no topic',
    }
    // Where no partitioner of ours would put it.
    await world.newSink().send([
      { topic: 'orders', partition: 2, key: 'k', value: 'bad', headers },
      { topic: 'orders', partition: 2, key: 'k', value: 'good' },
    ])
    await soon(() => expect(count('millrace_dead_letters_total{')).toBe(1))
    const runs = seen.filter(([value]) => value === 'bad').map(([, attempt]) => attempt)
    expect(runs).toEqual([1, 2, 3, 4, 5, 6])
    const records = world.kafka.records('orders', 2)
    expect(records.map(({ value }) => value)).toEqual(['bad', 'good', 'bad', 'bad'])
    expect(records[3]?.key).toBe('k')
    expect(records[3]?.headers).toMatchObject({
      ...{ kind: 'first', 'retry-count': '1', 'retry-group': 'billing', 'republish-count': '2' },
      ...{ 'source-topic': 'orders', 'source-partition': '2', 'source-offset': '2' },
      ...{ 'original-topic': 'orders', 'original-partition': '2', 'original-offset': '0' },
      attempts: '4',
    })
    const [letter] = world.kafka.records('orders.dlq', 2)
    expect(letter?.headers).toMatchObject({
      ...{ kind: 'first', 'retry-count': '2', attempts: '6' },
      ...{ 'source-offset': '3', 'original-offset': '0' },
    })
    expect(letter?.headers).not.toHaveProperty('retry-group')
    await soon(() =>
      expect(other.count('millrace_retry_copies_skipped_total{group="audit"')).toBe(2),
    )
    expect(others.sort()).toEqual(['bad', 'good'])
  })
})

describe('what is copied to be tried again', () => {
  const define = (options: ConsumerOptions) => () => {
    const kafka = { brokers: '127.0.0.1:1', log: () => undefined }
    const quiet = { metrics: false, log: () => undefined } as const
    createService({ ...quiet, name: 'billing', kafka }).records('orders', () => undefined, options)
  }

  it.each([
    [
      { retry: { topics: ['30s', '5m'] } },
      "records(orders).retry.topics (['30s', '5m']) gives up the order of what fails, and order is 'key': " +
        "say records(orders).retry.allowReorder: true, use order: 'none', or leave it out",
    ],
    [
      { order: 'partition', retry: { republish: true } },
      "records(orders).retry.republish (true) gives up the order of what fails, and order is 'partition': " +
        "say records(orders).retry.allowReorder: true, use order: 'none', or leave it out",
    ],
    [{ order: 'none', retry: { topics: ['5m', '30s'] } }, "retry.topics[1] ('30s') must be longer"],
    [{ order: 'none', retry: { topics: ['soon'] } }, "retry.topics[0] ('soon') must be"],
    [{ order: 'none', retry: { topics: [] } }, 'retry.topics'],
    [{ order: 'none', retry: { topics: ['8d'] } }, "must be at most '7d'"],
    [{ order: 'none', retry: { topics: ['1s'], republish: 2 } }, 'exclude each other'],
    [{ order: 'none', retry: { republish: 0 } }, 'from 1 to 1000'],
    [{ order: 'none', groupId: 'a b', retry: { topics: ['1s'] } }, "groupId ('a b')"],
  ] as const)('is refused as it is said: %j', (options, message) => {
    expect(define(options as ConsumerOptions)).toThrow(OptionError)
    expect(define(options as ConsumerOptions)).toThrow(message)
  })

  it('may be said where there is no order to lose, or where it is given up', () => {
    expect(define({ order: 'none', retry: { topics: ['1s', '1m'] } })).not.toThrow()
    expect(define({ retry: { republish: true, allowReorder: true } })).not.toThrow()
  })
})
