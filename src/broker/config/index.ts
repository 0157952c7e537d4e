export { changeSettings, replaceSettings } from './alter.ts'
export type { ConfigChange } from './alter.ts'
export { createBrokerConfig } from './broker-config.ts'
export type { BrokerConfig, BrokerConfigOptions, BrokerSettings } from './broker-config.ts'
export { brokerProperties } from './broker-properties.ts'
export {
  changeQuotas,
  matchesQuota,
  parseQuotaEntityKey,
  quotaEntityKey,
  refuseQuotaConditions,
  refuseQuotaEntity,
} from './client-quota.ts'
export type { QuotaChange, QuotaCondition, QuotaEntity } from './client-quota.ts'
export { clientMetricsProperties } from './client-metrics-properties.ts'
export { configSource } from './config-source.ts'
export type { ConfigSource } from './config-source.ts'
export {
  describeAllBrokers,
  describeBroker,
  describeClientMetrics,
  describeGroup,
  describeNewTopic,
  describeTopic,
} from './describe.ts'
export type { ConfigEntry, ConfigSynonym } from './describe.ts'
export { describedProperties } from './described-properties.ts'
export type { DescribedNode } from './described-properties.ts'
export { groupProperties } from './group-properties.ts'
export { consumerTiming, groupConfig, shareReading, shareTiming } from './group-settings.ts'
export type { ShareReading } from './group-settings.ts'
export type { Property, PropertyTable } from './property.ts'
export { TopicConfig } from './topic-config.ts'
export { topicProperties } from './topic-properties.ts'
export { transactionSettings } from './transaction-settings.ts'
export {
  refuseBrokerConfigs,
  refuseClientMetricsConfigs,
  refuseGroupConfigs,
  refuseTopicConfigs,
} from './validate.ts'
