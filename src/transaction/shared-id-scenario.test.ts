/**
 * Promise: a transactional id that two processes have ends one of them, with the producer that has it named.
 *
 * Proves: 6
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../client/index.ts'
import { startBroker } from '../testing/index.ts'
import { createService } from './create.ts'

const log = () => undefined

describe('a transactional id', () => {
  it('that two processes have is found, also when each commits between two losses of it', async () => {
    await using kafka = await startBroker({
      properties: { 'group.initial.rebalance.delay.ms': '0' },
    })
    for (const name of ['orders', 'prices']) await kafka.createTopic(name, { partitions: 1 })
    const endings: Error[] = []
    const start = async (name: string) => {
      const service = createService({
        ...{ name, metrics: false, signals: false, log },
        kafka: { brokers: kafka.bootstrap, log },
      })
      service.records(
        'orders',
        ({ key, value }, { sendRecord }) => sendRecord({ topic: 'prices', key, value }),
        {
          start: 'earliest',
          exactlyOnce: { transactionalId: 'pricing' },
          group: { groupProtocol: 'classic' },
        },
      )
      const running = service.run().catch((error: unknown) => endings.push(error as Error))
      const ready = async () => (await service.health.report('ready')).status
      await vi.waitFor(async () => expect(await ready()).toBe('ok'), { timeout: 20_000 })
      return { service, running }
    }
    // Nothing is written yet: neither can be seen to work when the other starts.
    const first = await start('first')
    const second = await start('second')
    await using client = createClient({ brokers: kafka.bootstrap, log })
    await using producer = client.producer()
    await vi.waitFor(
      async () => {
        await producer.send({ topic: 'orders', key: 'k', value: 'v' })
        expect(endings).not.toEqual([])
      },
      { timeout: 20_000, interval: 200 },
    )
    expect(endings[0]).toMatchObject({ code: 'MILLRACE_TRANSACTION_ID_SHARED' })
    const [{ producerId } = { producerId: -1 }] = kafka.batches('prices')
    expect(endings[0]?.message).toContain(`too (producer id ${producerId}, epoch `)
    await Promise.all([first, second].map(({ service }) => service.stop()))
    await Promise.all([first, second].map(({ running }) => running))
  })
})
