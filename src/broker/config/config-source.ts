/** Where a value comes from, by the codes of DescribeConfigs. */
export const configSource = {
  topic: 1,
  broker: 2,
  allBrokers: 3,
  staticBroker: 4,
  default: 5,
  clientMetrics: 7,
  group: 8,
} as const

export type ConfigSource = (typeof configSource)[keyof typeof configSource]

/** One of the places that can give a broker's property its value. */
export interface ConfigLayer {
  readonly source: ConfigSource
  get(name: string): string | null | undefined
}
