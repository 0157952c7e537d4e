import { expect, it } from 'vitest'
import { closeConnection } from '../../src/testing/index.ts'
import { numbered, startScenario, valuesOf } from './scenario.ts'

/* An idempotent kafkajs producer that sends again what was stored already stores it once. */

it.each([
  { idempotent: true, copies: 1 },
  { idempotent: false, copies: 2 },
])('the answer is lost, idempotent=$idempotent: $copies', async ({ idempotent, copies }) => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer({ idempotent, maxInFlightRequests: 1 })
  await producer.send({ topic: 'orders', messages: [{ value: 'before' }] })
  let lost = 0
  broker.intercept('Produce', async (_request, proceed) => {
    const answer = await proceed()
    lost += 1
    return lost === 1 ? closeConnection : answer
  })
  const sent = numbered(5)
  await producer.send({ topic: 'orders', messages: sent })
  await producer.send({ topic: 'orders', messages: [{ value: 'after' }] })
  expect(lost).toBe(3)
  const stored = broker.records('orders').map(({ value }) => value?.toString())
  const repeated = Array.from({ length: copies }, () => valuesOf(sent)).flat()
  expect(stored).toEqual(['before', ...repeated, 'after'])
})
