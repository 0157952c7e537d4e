import { createService } from 'millrace'
import type { Service } from 'millrace'
import { lettersOf, PaymentCompleted, payments } from './contracts.ts'
import type { Surroundings } from './services.ts'

/** Books payments, many at once. */
export function billing(surroundings: Surroundings): Service {
  const service = createService({ name: 'billing', ...surroundings })
  const deadLetter = { topic: lettersOf('billing') }
  service
    .consumer(payments, { start: 'earliest', deadLetter })
    .batch(PaymentCompleted, async () => bookTogether(), { recordsMax: 200, windowMs: 50 })
  return service
}

/** Takes its time, as a database does. */
async function bookTogether(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5))
}
