import { createService, createStream, join, tumbling } from 'millrace'
import type { Service } from 'millrace'
import { lettersOf, OrderPaid, orders, paid, payments } from './contracts.ts'
import { RevenueCounted, revenueByMinute } from './contracts.ts'
import type { Surroundings } from './services.ts'

const ofOrder = ({ data }: { readonly data: { readonly orderId: string } }) => data.orderId

/**
 * Joins orders with their payments, whichever comes first, and counts what each minute brings in: exactly once, state and all. Both
 * have their user as key, and belong together by the order. What comes too late, or finds nothing, is a dead letter.
 */
export function bookkeeping(surroundings: Surroundings): Service {
  const paidOrders = join(orders, payments, {
    ...{ name: 'paid-orders', within: '24h', grace: '2h', unique: 'both' },
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
  const deadLetter = { topic: lettersOf('bookkeeping') }
  return service.add(createStream(paidOrders, { group, deadLetter }))
}
