/**
 * Promise: what a process that has died left open in the middle of a commit holds up nobody who comes after it under its id.
 *
 * Proves: 6
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../client/index.ts'
import { startBroker } from '../testing/index.ts'
import { createService } from './create.ts'

const log = () => undefined
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

describe('a process under the transactional id of one that has died', () => {
  it('goes on at once, however long the transaction of that one may be open', async () => {
    await using kafka = await startBroker({
      properties: { 'group.initial.rebalance.delay.ms': '0' },
    })
    for (const name of ['orders', 'prices']) await kafka.createTopic(name, { partitions: 1 })
    await using client = createClient({ brokers: kafka.bootstrap, log })
    await using producer = client.producer()
    await producer.send({ topic: 'orders', value: 'o-1' })
    const dead = client.transactionalProducer({
      transactionalId: 'pricing-0',
      transactionTimeoutMs: 600_000,
    })
    const leftOpen = await dead.begin()
    await leftOpen.send({ topic: 'prices', value: 'of the dead' })
    const group = { groupId: 'pricing', generation: -1, memberId: '', groupInstanceId: undefined }
    await leftOpen.sendOffsets(group, [{ topic: 'orders', partition: 0, offset: 1 }])
    await using service = createService({
      ...{ name: 'pricing', metrics: false, signals: false, log },
      kafka: { brokers: kafka.bootstrap, log },
    })
    service.records(
      'orders',
      ({ value }, { sendRecord }) => sendRecord({ topic: 'prices', value }),
      {
        ...{ start: 'earliest', exactlyOnce: { transactionalId: 'pricing-0' } },
      },
    )
    await service.start()
    const written: string[] = []
    await using reader = client.consumer({ offsetReset: 'earliest' })
    reader.assign([{ topic: 'prices', partition: 0 }])
    await soon(async () => {
      for (const batch of await reader.poll({ timeoutMs: 50 })) {
        for (const { value } of batch) written.push(String(value))
      }
      expect(written).toEqual(['o-1'])
    })
    await expect(leftOpen.commit()).rejects.toMatchObject({ action: 'close' })
  })
})
