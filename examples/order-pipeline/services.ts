import { createService, createStream, FailureDecision, join, tumbling } from 'millrace'
import type { Service, ServiceOptions } from 'millrace'
import {
  enriched,
  OrderCreated,
  OrderEnriched,
  OrderPaid,
  orders,
  OrderShipped,
  paid,
  PaymentCompleted,
  payments,
  RevenueCounted,
  revenueByMinute,
  shipped,
} from './contracts.ts'

type Surroundings = Pick<ServiceOptions, 'kafka' | 'metrics' | 'log'>

const common = { start: 'earliest', concurrency: 64 } as const

/** The user whose orders nobody can ship: they end as dead letters. */
export const blockedUser = 'user-blocked'

export const enrichmentLetters = (topic: string) => `${topic}.enrichment.dlq`

const passing = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Ships orders: those of different users beside each other, those of a user in order. The warehouse fails now and then, and
 * is asked again; what it refuses is a dead letter. A crash may ship an order twice: at least once.
 */
export function fulfilment(surroundings: Surroundings): Service {
  const service = createService({ name: 'fulfilment', topics: [shipped], ...surroundings })
  service
    .consumer(orders, { ...common, retry: { attempts: 4, delayMs: 20 } })
    .on(OrderCreated, async ({ data }, { publish }) => {
      await passing(Math.random() * 4)
      if (data.userId === blockedUser) throw new FailureDecision('deadLetter', 'blocked user')
      if (Math.random() < 0.03) throw new Error('the warehouse does not answer')
      const { orderId, userId, number } = data
      await publish(OrderShipped, { orderId, userId, number })
    })
  return service
}

/**
 * Adds to orders what others want to know of them: exactly once, whatever dies meanwhile. An order that the shop has sent twice
 * is enriched twice: the account compares record by record.
 */
export function enrichment(surroundings: Surroundings): Service {
  const service = createService({ name: 'enrichment', topics: [enriched], ...surroundings })
  service
    .consumer(orders, {
      ...common,
      exactlyOnce: true,
      dedupe: false,
      deadLetter: { topic: enrichmentLetters },
    })
    .on(OrderCreated, async ({ data }, { send }) => {
      const { orderId, userId, number, products, totalAmount } = data
      const items = products.reduce((sum, { quantity }) => sum + quantity, 0)
      await send(OrderEnriched, {
        orderId,
        userId,
        number,
        items,
        totalAmount,
        isLarge: totalAmount > 100,
      })
    })
  return service
}

/** Books payments, many at once. */
export function billing(surroundings: Surroundings): Service {
  const service = createService({ name: 'billing', ...surroundings })
  service
    .consumer(payments, common)
    .batch(PaymentCompleted, async () => passing(5), { recordsMax: 200, windowMs: 50 })
  return service
}

/** How far an order and its payment may be apart in time, and how late one of them may come. */
export const payWithin = '24h'
export const payGrace = '2h'

/** Dead letters of the join: what came late, and what nothing came for. */
export const unpaidLetters = (topic: string) => `${topic}.unpaid.dlq`

/**
 * Joins orders with their payments, whichever comes first, and counts what each minute brings in: exactly once, state and all. Both
 * have their user as key, and belong together by the order.
 */
export function bookkeeping(surroundings: Surroundings): Service {
  const ofOrder = ({ data }: { readonly data: { readonly orderId: string } }) => data.orderId
  const paidOrders = join(orders, payments, {
    ...{ name: 'paid-orders', within: payWithin, grace: payGrace, unique: 'both' },
    where: { left: ofOrder, right: ofOrder },
    // The shop's time runs by itself: nobody is to be late because a process was away for a while.
    idleAfter: '1h',
  })
  paidOrders.send(paid, OrderPaid, ({ right: { data } }) => data)
  paidOrders
    .window(tumbling('1m'))
    .sum('revenue', ({ right }) => right.data.amount, { by: () => 'all', emit: 'close' })
    .results.send(revenueByMinute, RevenueCounted, ({ window, value }) => ({
      minute: window?.start ?? 0,
      amount: value,
    }))
  const service = createService({ name: 'bookkeeping', ...surroundings })
  const group = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 }
  return service.add(createStream(paidOrders, { group, deadLetter: { topic: unpaidLetters } }))
}

export const services = { fulfilment, enrichment, billing, bookkeeping } as const
