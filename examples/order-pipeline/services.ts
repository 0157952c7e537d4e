import type { ServiceOptions } from 'millrace'
import { billing } from './billing.ts'
import { bookkeeping } from './bookkeeping.ts'
import { deadLetters } from './dead-letters.ts'
import { enrichment } from './enrichment.ts'
import { fulfilment } from './fulfilment.ts'

/** What a service is told by whoever runs it. */
export type Surroundings = Pick<ServiceOptions, 'kafka' | 'metrics' | 'log'>

/** All services, by name. The last one reads what the others have written: it starts when they have. */
export const services = {
  ...{ fulfilment, enrichment, billing, bookkeeping },
  'dead-letters': deadLetters,
} as const
