import {
  brokerProperties,
  clientMetricsProperties,
  describeAllBrokers,
  describeBroker,
  describeClientMetrics,
  describeGroup,
  describeTopic,
  groupProperties,
  refuseBrokerConfigs,
  refuseClientMetricsConfigs,
  refuseGroupConfigs,
  refuseTopicConfigs,
  topicProperties,
} from '../config/index.ts'
import type { ConfigEntry, PropertyTable } from '../config/index.ts'
import { refuseTopicName } from '../cluster/topic-name.ts'
import type { SettingKind } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { RequestContext } from './handler.ts'

/** What configuration can belong to, by Kafka's codes. */
export const resourceType = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const

type Settings = ReadonlyMap<string, string>

/** Something that has configuration: how to read, check and store what is set on it. */
export interface ConfigResource {
  readonly properties: PropertyTable
  /** What is set on it, by name. */
  current(): Settings
  refuse(next: Settings): Refusal | undefined
  store(next: Settings): Promise<void>
  describe(): ConfigEntry[]
}

/** Finds what a request names by type and name. */
export function findConfigResource(
  type: number,
  name: string,
  context: RequestContext,
): ConfigResource | Refusal {
  switch (type) {
    case resourceType.topic:
      return topicResource(name, context)
    case resourceType.broker:
      return brokerResource(name, context)
    case resourceType.brokerLogger:
      return brokerLoggerResource(name, context)
    case resourceType.clientMetrics:
      return clientMetricsResource(name, context)
    case resourceType.group:
      return groupResource(name, context)
    default:
      return refuse('INVALID_REQUEST', `resource type (${type}) is not known`)
  }
}

function topicResource(
  name: string,
  { broker: { cluster, config }, nodeId }: RequestContext,
): ConfigResource | Refusal {
  const wrongName = refuseTopicName(name)
  if (wrongName !== undefined) return wrongName
  const topic = cluster.topic(name)
  if (topic === undefined) {
    return refuse('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist`)
  }
  return {
    properties: topicProperties,
    current: () => topic.overrides,
    refuse: (next) => refuseTopicConfigs(next, config),
    store: (next) => cluster.setTopicConfigs(name, next),
    describe: () => describeTopic(topic.overrides, config, nodeId),
  }
}

/** The empty name stands for all brokers; a single one is asked itself, as in Kafka. */
function brokerResource(name: string, context: RequestContext): ConfigResource | Refusal {
  const { config } = context.broker
  const wrongNode = name === '' ? undefined : refuseOtherNode(name, context)
  if (wrongNode !== undefined) return wrongNode
  return {
    properties: brokerProperties,
    ...storedSettings('broker', name, context),
    refuse: (next) => refuseBrokerConfigs(next, name === '' ? 'all' : 'one'),
    describe: () =>
      name === '' ? describeAllBrokers(config) : describeBroker(config, context.nodeId),
  }
}

/** The log levels of a Java process are all that it is about: here there are none. */
function brokerLoggerResource(name: string, context: RequestContext): ConfigResource | Refusal {
  const wrongNode = refuseOtherNode(name, context)
  if (wrongNode !== undefined) return wrongNode
  return {
    properties: {},
    current: () => new Map(),
    refuse: () => undefined,
    store: () => Promise.resolve(),
    describe: () => [],
  }
}

function refuseOtherNode(name: string, { nodeId }: RequestContext): Refusal | undefined {
  if (name === String(nodeId)) return undefined
  const problem = `broker '${name}' must be ${nodeId}, the one that was asked`
  return refuse('INVALID_REQUEST', problem)
}

function clientMetricsResource(name: string, context: RequestContext): ConfigResource | Refusal {
  if (name === '') return refuse('INVALID_REQUEST', 'a subscription must have a name')
  const settings = storedSettings('client-metrics', name, context)
  return {
    properties: clientMetricsProperties,
    ...settings,
    refuse: refuseClientMetricsConfigs,
    describe: () => describeClientMetrics(settings.current()),
  }
}

function groupResource(name: string, context: RequestContext): ConfigResource | Refusal {
  if (name === '') return refuse('INVALID_REQUEST', 'a group must have a name')
  const { config } = context.broker
  const settings = storedSettings('group', name, context)
  return {
    properties: groupProperties,
    ...settings,
    refuse: (next) => refuseGroupConfigs(next, config),
    describe: () => describeGroup(settings.current(), config),
  }
}

function storedSettings(
  kind: SettingKind,
  name: string,
  { broker: { cluster } }: RequestContext,
): Pick<ConfigResource, 'current' | 'store'> {
  return {
    current: () => cluster.dynamicSettings(kind, name),
    store: (next) => cluster.setDynamicSettings(kind, name, next),
  }
}
