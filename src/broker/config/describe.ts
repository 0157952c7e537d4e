import type { BrokerConfig } from './broker-config.ts'
import { brokerProperties } from './broker-properties.ts'
import { clientMetricsProperties } from './client-metrics-properties.ts'
import { configSource } from './config-source.ts'
import type { ConfigLayer, ConfigSource } from './config-source.ts'
import { brokerDocumentationOf, documentationOf } from './documentation.ts'
import { clientMetricsDocumentation } from './documentation/client-metrics.ts'
import { groupDocumentation } from './documentation/group.ts'
import { topicDocumentation } from './documentation/topic.ts'
import { groupPropertyDefault } from './group-settings.ts'
import { groupProperties } from './group-properties.ts'
import { canonicalText } from './property-value.ts'
import { findProperty, propertyTypeCodes } from './property.ts'
import type { Property, PropertyTable } from './property.ts'
import { synonymsOf, topicSynonyms } from './synonyms.ts'
import type { TopicPropertyName } from './synonyms.ts'
import { topicText } from './topic-config.ts'
import { topicProperties } from './topic-properties.ts'

/** A property as DescribeConfigs shows it. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: ConfigSource
  readonly sensitive: boolean
  /** All values that the property could have, the one that it has first. */
  readonly synonyms: readonly ConfigSynonym[]
  /** 0 where the type is not known. */
  readonly typeCode: number
  /** What it says, in a sentence or two; null where nobody knows. */
  readonly documentation: string | null
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

/** The properties of a topic, as one broker sees them. */
export function describeTopic(
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
  nodeId: number,
): ConfigEntry[] {
  const layers = broker.layers(nodeId)
  return topicNames(overrides).map((name) => {
    const property = topicProperties[name]
    const own = overrides.get(name)
    const names = (topicSynonyms[name] ?? []).map((synonym) => synonym.name)
    const ofBroker = synonymsIn(names[0] ?? '', names, layers, false)
    const value = topicText(name, overrides, broker)
    const synonyms =
      own === undefined ? ofBroker : [{ name, value, source: configSource.topic }, ...ofBroker]
    const documentation = documentationOf(name, topicDocumentation, topicProperties)
    return entry(name, property, value, { readOnly: false, synonyms, documentation })
  })
}

/** The properties of a topic that was just made; unlike DescribeConfigs, as they were written. */
export function describeNewTopic(
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
  nodeId: number,
): Pick<ConfigEntry, 'name' | 'value' | 'source'>[] {
  const layers = broker.layers(nodeId)
  return topicNames(overrides).map((name) => {
    const own = overrides.get(name)
    if (own !== undefined) return { name, value: own, source: configSource.topic }
    const synonyms = topicSynonyms[name] ?? []
    const giver = layers.find((layer) => synonyms.some((synonym) => isSet(layer, synonym.name)))
    const value = topicText(name, overrides, broker)
    return { name, value, source: giver?.source ?? configSource.default }
  })
}

/** All properties of a broker. */
export function describeBroker(broker: BrokerConfig, nodeId: number): ConfigEntry[] {
  const layers = broker.layers(nodeId)
  const shown = Object.entries(brokerProperties)
    .filter(([name, property]) => !('internal' in property) || isGiven(layers, name))
    .map(([name]) => name)
  return [...shown, ...broker.customNames(nodeId)].map((name) => brokerEntry(name, layers))
}

/** What is set on all brokers together, and nothing else. */
export function describeAllBrokers(broker: BrokerConfig): ConfigEntry[] {
  const { ofAllBrokers } = broker
  const layer = {
    source: configSource.allBrokers,
    get: (name: string) => ofAllBrokers.get(name),
  }
  return [...ofAllBrokers.keys()].map((name) => brokerEntry(name, [layer]))
}

/** The properties of a group; a group that nobody has heard of has them too. */
export function describeGroup(
  settings: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): ConfigEntry[] {
  const defaultOf = (name: string) => groupPropertyDefault(name, broker)
  const table = { properties: groupProperties, texts: groupDocumentation }
  return describeFlat(table, settings, configSource.group, defaultOf)
}

/** The properties of a subscription of clients' metrics. They are kept, and nobody is asked for metrics. */
export function describeClientMetrics(settings: ReadonlyMap<string, string>): ConfigEntry[] {
  const table = { properties: clientMetricsProperties, texts: clientMetricsDocumentation }
  return describeFlat(table, settings, configSource.clientMetrics, () => null)
}

/** Properties without a broker's behind them: what is set, or the default. */
function describeFlat(
  {
    properties,
    texts,
  }: { readonly properties: PropertyTable; readonly texts: Readonly<Record<string, string>> },
  settings: ReadonlyMap<string, string>,
  source: ConfigSource,
  defaultOf: (name: string) => string | null,
): ConfigEntry[] {
  return Object.entries(properties).map(([name, property]) => {
    const documentation = documentationOf(name, texts, properties)
    const written = settings.get(name)
    if (written !== undefined) {
      const value = canonicalText(property, written)
      return entry(name, property, value, {
        readOnly: false,
        synonyms: [{ name, value: written, source }],
        documentation,
      })
    }
    const fromBroker = defaultOf(name)
    const synonyms =
      fromBroker === null ? [] : [{ name, value: fromBroker, source: configSource.default }]
    const value = fromBroker ?? property.default
    return entry(name, property, value, { readOnly: false, synonyms, documentation })
  })
}

function brokerEntry(name: string, layers: readonly ConfigLayer[]): ConfigEntry {
  const property = findProperty(brokerProperties, name)
  const sensitive = isSensitive(property)
  const synonyms = synonymsIn(name, synonymsOf(name), layers, sensitive)
  const written = layers.map((layer) => layer.get(name)).find(isPresent)
  const value =
    written === undefined || property === undefined ? null : canonicalText(property, written)
  return entry(name, property, value, {
    readOnly: property?.dynamic === undefined,
    synonyms,
    documentation: brokerDocumentationOf(name),
  })
}

function entry(
  name: string,
  property: Property | undefined,
  value: string | null,
  {
    readOnly,
    synonyms,
    documentation,
  }: Pick<ConfigEntry, 'readOnly' | 'synonyms' | 'documentation'>,
): ConfigEntry {
  const sensitive = isSensitive(property)
  return {
    name,
    value: sensitive ? null : value,
    readOnly,
    source: synonyms[0]?.source ?? configSource.default,
    sensitive,
    synonyms,
    typeCode: property === undefined ? 0 : propertyTypeCodes[property.type],
    documentation,
  }
}

/** Passwords are never shown, nor is what nobody knows: it might be one. */
function isSensitive(property: Property | undefined): boolean {
  return property === undefined || property.type === 'PASSWORD'
}

/**
 * The values of a property under all its names. Those before the first one under the asked name are
 * left out, as in Kafka: so a retention given in hours is no synonym of the one in milliseconds,
 * though it decides it, and a topic that follows it is said to have the default.
 */
function synonymsIn(
  asked: string,
  names: readonly string[],
  layers: readonly ConfigLayer[],
  sensitive: boolean,
): ConfigSynonym[] {
  const all = layers.flatMap((layer) =>
    names.flatMap((name) => {
      const value = layer.get(name)
      return isPresent(value)
        ? [{ name, value: sensitive ? null : value, source: layer.source }]
        : []
    }),
  )
  const first = all.findIndex(({ name }) => name === asked)
  return first === -1 ? [] : all.slice(first)
}

function topicNames(overrides: ReadonlyMap<string, string>): TopicPropertyName[] {
  const names = Object.keys(topicProperties) as TopicPropertyName[]
  return names.filter((name) => !('internal' in topicProperties[name]) || overrides.has(name))
}

function isSet(layer: ConfigLayer, name: string): boolean {
  return isPresent(layer.get(name))
}

function isPresent<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}

function isGiven(layers: readonly ConfigLayer[], name: string): boolean {
  return layers.some((layer) => layer.source !== configSource.default && isSet(layer, name))
}
