import { int, list } from './property.ts'

/** The properties of a subscription of clients' metrics (KIP-714), by name. */
export const clientMetricsProperties = {
  'interval.ms': int('300000'),
  match: list('', { format: 'client-match' }),
  metrics: list(''),
} as const
