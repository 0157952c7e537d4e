import { OptionError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refuseBrokerSettings } from './broker-rules.ts'
import { brokerProperties } from './broker-properties.ts'
import { configSource } from './config-source.ts'
import type { ConfigLayer } from './config-source.ts'
import { embeddedDefaults } from './embedded-defaults.ts'
import { findProperty } from './property.ts'
import type { PropertyValue, ValueOf } from './property.ts'
import { parseValue, valueOf } from './property-value.ts'
import { reservedProblem } from './reserved-properties.ts'
import type { BrokerPropertyName } from './synonyms.ts'
import { topicProblem } from './topic-config.ts'

type Table = typeof brokerProperties

type ObeyedName = {
  [Name in BrokerPropertyName]: Table[Name] extends { readonly obeyed: true } ? Name : never
}[BrokerPropertyName]

/** `num.partitions` is `numPartitions`. */
type CamelCase<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** What the broker obeys of its properties, each under its name in camel case. */
export type BrokerSettings = {
  readonly [Name in ObeyedName as CamelCase<Name>]: ValueOf<Table[Name]>
}

export interface BrokerConfigOptions {
  /** Properties that the user gives, by Kafka's names. */
  readonly properties?: ReadonlyMap<string, string>
  /** Other defaults than ours, by Kafka's names. */
  readonly defaults?: ReadonlyMap<string, string>
  /** The nodes of the cluster, in ascending order. */
  readonly nodeIds: readonly number[]
  /**
   * What the broker's own options come to in Kafka's words (`listeners`, `log.dirs`, `node.id`). It
   * is described, and nothing else.
   */
  readonly described?: (nodeId: number) => ReadonlyMap<string, string>
}

/** The broker's configuration: its settings, and where each comes from. */
export type BrokerConfig = LayeredBrokerConfig & BrokerSettings

/**
 * Kafka's properties of the broker in layers: what was set at run time on one broker, then on all,
 * then what was given at the start, then the defaults.
 *
 * What is set at run time on one broker is described for that broker, and obeyed by all: they share
 * their logs and coordinators. Where several brokers disagree, the one with the lowest id wins.
 */
class LayeredBrokerConfig {
  readonly #options: BrokerConfigOptions
  readonly #static: ReadonlyMap<string, string>
  #ofAllBrokers: ReadonlyMap<string, string> = new Map()
  #ofBroker: ReadonlyMap<number, ReadonlyMap<string, string>> = new Map()
  readonly #values = new Map<string, PropertyValue | null>()

  constructor(options: BrokerConfigOptions) {
    const given = options.properties ?? new Map<string, string>()
    for (const [name, value] of given) checkGiven(name, value)
    this.#options = options
    this.#static = new Map([
      ...embeddedDefaults(options.nodeIds.length),
      ...(options.defaults ?? []),
      ...given,
    ])
    const wrong = refuseBrokerSettings((name) => this.value(name))
    if (wrong !== undefined) throw new OptionError('properties', wrong.message)
  }

  /** The value that is obeyed. */
  value<Name extends BrokerPropertyName>(name: Name): ValueOf<Table[Name]> {
    let value = this.#values.get(name)
    if (value === undefined) {
      const text = this.text(name)
      value = text === null ? null : valueOf(brokerProperties[name], text)
      this.#values.set(name, value)
    }
    return value as ValueOf<Table[Name]>
  }

  /** What was set at run time has changed: reads it again. */
  reload(cluster: Pick<Cluster, 'dynamicSettings'>): void {
    this.#ofAllBrokers = cluster.dynamicSettings('broker', '')
    this.#ofBroker = new Map(
      this.#options.nodeIds.map((id) => [id, cluster.dynamicSettings('broker', String(id))]),
    )
    this.#values.clear()
  }

  /** What is set at run time on all brokers. */
  get ofAllBrokers(): ReadonlyMap<string, string> {
    return this.#ofAllBrokers
  }

  /** What a node's own options come to; see `BrokerConfigOptions.described`. */
  described(nodeId: number, name: string): string | undefined {
    return this.#options.described?.(nodeId).get(name)
  }

  /** All that gives a broker its values, the one with precedence first. */
  layers(nodeId: number): readonly ConfigLayer[] {
    const ofBroker = this.#ofBroker.get(nodeId)
    const described = this.#options.described?.(nodeId)
    return [
      { source: configSource.broker, get: (name) => ofBroker?.get(name) },
      { source: configSource.allBrokers, get: (name) => this.#ofAllBrokers.get(name) },
      {
        source: configSource.staticBroker,
        get: (name) => described?.get(name) ?? this.#static.get(name),
      },
      { source: configSource.default, get: defaultOf },
    ]
  }

  /** The names that a broker's layers hold besides those of the table. */
  customNames(nodeId: number): string[] {
    const names = [...(this.#ofBroker.get(nodeId)?.keys() ?? []), ...this.#ofAllBrokers.keys()]
    return [...new Set(names)].filter((name) => findProperty(brokerProperties, name) === undefined)
  }

  /** The names among the given properties that change nothing here. */
  withoutEffect(): string[] {
    const given = [...(this.#options.properties?.keys() ?? [])]
    return given.filter((name) => findProperty(brokerProperties, name)?.obeyed !== true)
  }

  /** The value that is obeyed, as it is written; null where there is none. */
  text(name: BrokerPropertyName): string | null {
    const written = [
      ...[...this.#ofBroker.values()].map((settings) => settings.get(name)),
      this.#ofAllBrokers.get(name),
      this.#static.get(name),
    ]
    // What an older release has stored and this one does not allow is passed over.
    const allowed = written.find(
      (text) => text !== undefined && 'value' in parseValue(brokerProperties[name], text),
    )
    return allowed ?? brokerProperties[name].default
  }
}

for (const [name, property] of Object.entries(brokerProperties)) {
  if (!('obeyed' in property)) continue
  Object.defineProperty(LayeredBrokerConfig.prototype, camelCase(name), {
    get(this: LayeredBrokerConfig) {
      return this.value(name as BrokerPropertyName)
    },
  })
}

/** Makes the broker's configuration; throws an `OptionError` for a property that cannot be given. */
export function createBrokerConfig(options: BrokerConfigOptions): BrokerConfig {
  return new LayeredBrokerConfig(options) as BrokerConfig
}

function checkGiven(name: string, value: string): void {
  const reserved = reservedProblem(name)
  if (reserved !== undefined) throw new OptionError(name, reserved)
  const property = findProperty(brokerProperties, name)
  if (property === undefined) {
    const meant = nearest(name, Object.keys(brokerProperties))
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    throw new OptionError(name, `is not a property of a Kafka broker${hint}`)
  }
  const parsed = parseValue(property, value)
  const problem = 'problem' in parsed ? parsed.problem : topicProblem(name, value)
  if (problem !== undefined) throw new OptionError(name, `('${value}') ${problem}`)
}

function defaultOf(name: string): string | null | undefined {
  return findProperty(brokerProperties, name)?.default
}

function camelCase(name: string): string {
  return name.replaceAll(/\.(.)/g, (_, letter: string) => letter.toUpperCase())
}
