import { expect, it } from 'vitest'
import { numbered, startScenario, until, valueOf } from './scenario.ts'

/* With eachBatch, kafkajs reads again exactly what was not resolved before. */

it('what a batch has resolved is done, the rest comes again', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer()
  await producer.send({ topic: 'orders', messages: numbered(10) })
  const seen: (string | undefined)[][] = []
  let failed = false
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({
    eachBatchAutoResolve: false,
    eachBatch: async (payload) => {
      const { batch } = payload
      expect(batch.highWatermark).toBe('10')
      const values: (string | undefined)[] = []
      seen.push(values)
      for (const message of batch.messages) {
        if (message.offset === '4' && !failed) {
          failed = true
          throw new Error('the fifth record fails once')
        }
        values.push(valueOf(message))
        payload.resolveOffset(message.offset)
        await payload.heartbeat()
      }
      await payload.commitOffsetsIfNecessary()
    },
  })
  await until('the last record', () => seen.flat().length >= 10)
  expect(seen.filter((values) => values.length > 0)).toEqual([
    ['value-0', 'value-1', 'value-2', 'value-3'],
    ['value-4', 'value-5', 'value-6', 'value-7', 'value-8', 'value-9'],
  ])
})

it('offsets that are committed by hand are those of the group', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer()
  await producer.send({ topic: 'orders', messages: numbered(10) })
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  let batches = 0
  await consumer.run({
    autoCommit: false,
    eachBatch: async () => {
      batches += 1
      const offsets = [{ topic: 'orders', partition: 0, offset: '7', metadata: 'by hand' }]
      await consumer.commitOffsets(offsets)
    },
  })
  await until('a batch', () => batches > 0)
  const admin = await clients.admin()
  const [committed] = await admin.fetchOffsets({ groupId: 'billing', topics: ['orders'] })
  expect(committed?.partitions).toEqual([{ partition: 0, offset: '7', metadata: 'by hand' }])
})
