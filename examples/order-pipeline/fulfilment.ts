import { createService, FailureDecision } from 'millrace'
import type { Service } from 'millrace'
import { lettersOf, OrderCreated, orders, OrderShipped, shipped } from './contracts.ts'
import type { Surroundings } from './services.ts'

/** The user whose orders nobody can ship: they end as dead letters. */
export const blockedUser = 'user-blocked'

/**
 * Ships orders: those of different users beside each other, those of a user in order. The warehouse fails now and then, and
 * is asked again; what it refuses is a dead letter. A crash may ship an order twice: at least once.
 */
export function fulfilment(surroundings: Surroundings): Service {
  const service = createService({ name: 'fulfilment', topics: [shipped], ...surroundings })
  const deadLetter = { topic: lettersOf('fulfilment') }
  service
    .consumer(orders, { start: 'earliest', retry: { attempts: 4, delayMs: 20 }, deadLetter })
    .on(OrderCreated, async ({ data: { orderId, userId, number } }, { publish }) => {
      await askWarehouse(userId)
      await publish(OrderShipped, { orderId, userId, number })
    })
  return service
}

async function askWarehouse(userId: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
  if (userId === blockedUser) throw new FailureDecision('deadLetter', 'blocked user')
  if (Math.random() < 0.03) throw new Error('the warehouse does not answer')
}
