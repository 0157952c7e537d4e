import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { describeConfigsApi } from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import { shown } from '../../option-checks.ts'
import type { AdminCall } from './admin-call.ts'
import { isUnknownTopic } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, isWorthAskingAgain } from './ask-each.ts'
import type { ItemResult } from './item-result.ts'
import { codeOf, nameOfCode } from './named-codes.ts'
import { nodeRoute } from './routes.ts'

export const configResourceTypes = {
  topic: 2,
  broker: 4,
  'broker-logger': 8,
  'client-metrics': 16,
  group: 32,
} as const

const configSources = {
  topic: 1,
  'dynamic-broker': 2,
  'dynamic-default-broker': 3,
  'static-broker': 4,
  default: 5,
  'broker-logger': 6,
  'client-metrics': 7,
  group: 8,
} as const

const configTypes = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const

export type ConfigResourceType = keyof typeof configResourceTypes
/** Where a value comes from. `'unknown'`: from where only a newer Kafka knows. */
export type ConfigSource = keyof typeof configSources | 'unknown'
/** What kind of value an entry takes, where the broker tells. */
export type ConfigType = keyof typeof configTypes | 'unknown'

/** What has a configuration. */
export interface ConfigResource {
  readonly type: ConfigResourceType
  /** The topic, the group, or the broker's id; `''` with type `'broker'` is what holds for all brokers. */
  readonly name: string
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | undefined
  readonly source: ConfigSource
}

export interface ConfigEntry {
  readonly name: string
  /** Undefined where it is not set, and where it is a secret. */
  readonly value: string | undefined
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly type: ConfigType
  /** Everything that gives a value, the one that holds first; empty unless it was asked for. */
  readonly synonyms: readonly ConfigSynonym[]
  /** What Kafka says about the entry, where it was asked for. */
  readonly documentation: string | undefined
}

export interface ConfigDescription {
  /** By name. */
  readonly entries: ReadonlyMap<string, ConfigEntry>
}

/** What to ask of a configuration. */
export interface ConfigQuestion {
  /** Only these entries. @defaultValue all */
  readonly keys?: readonly string[]
  /** Whether to ask for everything that gives a value. @defaultValue false */
  readonly synonyms?: boolean
  /** Whether to ask for Kafka's documentation. @defaultValue false */
  readonly documentation?: boolean
}

type EntryResponse = ResponseOf<typeof describeConfigsApi>['results'][number]['configs'][number]

/** Describes configurations: a broker's by that broker, which alone knows what it was started with. */
export function describeConfigs(
  { newTopics }: AdminWorld,
  call: AdminCall,
  resources: ReadonlyMap<string, ConfigResource>,
  question: ConfigQuestion,
): Promise<Map<string, ItemResult<ConfigDescription>>> {
  return askEach<ConfigResource, ConfigDescription>(call, resources, {
    route: nodeRoute(call, nodeIdOf),
    effect: 'reads',
    name: resourceName,
    mayRetry: (error, { item }) =>
      isWorthAskingAgain(error) ||
      (isUnknownTopic(error) && item.type === 'topic' && newTopics.has(item.name)),
    async ask(broker, asked) {
      const { results } = await call.request(broker, describeConfigsApi, {
        resources: asked.map(({ item }) => ({
          resourceType: configResourceTypes[item.type],
          resourceName: item.name,
          configurationKeys: question.keys ?? null,
        })),
        includeSynonyms: question.synonyms ?? false,
        includeDocumentation: question.documentation ?? false,
      })
      const keys = new Map(asked.map(({ key, item }) => [resourceKey(item), key]))
      return new Map<string, ConfigDescription | MillraceError>(
        results.map((result) => {
          const type = nameOfCode(result.resourceType, configResourceTypes)
          const key = keys.get(`${type} ${result.resourceName}`) ?? ''
          const { errorCode, errorMessage, resourceName: name } = result
          if (errorCode !== 0) {
            return [
              key,
              new KafkaError(errorCode, `configuration of ${type} ${name}`, errorMessage),
            ]
          }
          return [key, { entries: new Map(result.configs.map(readEntry)) }]
        }),
      )
    },
  })
}

function readEntry(entry: EntryResponse): [string, ConfigEntry] {
  const { name, value, synonyms, documentation } = entry
  const described = {
    name,
    value: value ?? undefined,
    source: nameOfCode(entry.configSource, configSources),
    isReadOnly: entry.readOnly,
    isSensitive: entry.isSensitive,
    type: nameOfCode(entry.configType, configTypes),
    synonyms: synonyms.map((synonym) => ({
      name: synonym.name,
      value: synonym.value ?? undefined,
      source: nameOfCode(synonym.source, configSources),
    })),
    documentation: documentation ?? undefined,
  }
  return [name, described]
}

/** Names a resource in maps; checks it. */
export function resourceKey({ type, name }: ConfigResource): string {
  codeOf('resource.type', type, configResourceTypes)
  if (typeof name !== 'string' || (name === '' && type !== 'broker')) {
    throw new OptionError('resource.name', `(${shown(name)}) must be the name of a ${type}`)
  }
  return `${type} ${name}`
}

export function resourceName({ type, name }: ConfigResource): string {
  return `configuration of ${type} ${name === '' ? 'default' : name}`
}

/** The broker that has to be asked about a resource, where it is one about a broker. */
export function nodeIdOf({ type, name }: ConfigResource): number | undefined {
  if ((type !== 'broker' && type !== 'broker-logger') || name === '') return undefined
  const nodeId = Number(name)
  if (Number.isSafeInteger(nodeId) && nodeId >= 0) return nodeId
  throw new OptionError('resource.name', `(${shown(name)}) must be the id of a broker`)
}
