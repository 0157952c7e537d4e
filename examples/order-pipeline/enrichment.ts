import { createService } from 'millrace'
import type { Service } from 'millrace'
import { enriched, lettersOf, OrderCreated, OrderEnriched, orders } from './contracts.ts'
import type { Surroundings } from './services.ts'

/**
 * Adds to orders what others want to know of them: exactly once, whatever dies meanwhile. An order that the shop has sent twice
 * is enriched twice: the account compares record by record.
 */
export function enrichment(surroundings: Surroundings): Service {
  const service = createService({ name: 'enrichment', topics: [enriched], ...surroundings })
  const deadLetter = { topic: lettersOf('enrichment') }
  service
    .consumer(orders, { start: 'earliest', exactlyOnce: true, dedupe: false, deadLetter })
    .on(OrderCreated, async ({ data: { products, ...order } }, { send }) => {
      const items = products.reduce((sum, { quantity }) => sum + quantity, 0)
      await send(OrderEnriched, { ...order, items, isLarge: order.totalAmount > 100 })
    })
  return service
}
