import type { clientMetricsProperties } from '../client-metrics-properties.ts'

/** What each property of a subscription of clients' metrics says, for DescribeConfigs. */
export const clientMetricsDocumentation: Readonly<
  Record<keyof typeof clientMetricsProperties, string>
> = {
  'interval.ms': 'How often clients push the metrics of the subscription.',
  match: 'Which clients the subscription is about: name=pattern, all of which must fit.',
  metrics:
    'The metrics of the subscription, by the beginnings of their names; * stands for all, none for none.',
}
