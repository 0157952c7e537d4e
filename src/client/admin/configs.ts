import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { incrementalAlterConfigsApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import { optionsOf } from '../../option-checks.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import { isUnknownTopic } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, isWorthAskingAgain } from './ask-each.ts'
import { configText } from './create-topics.ts'
import type { ConfigValue } from './create-topics.ts'
import {
  configResourceTypes,
  describeConfigs,
  nodeIdOf,
  resourceKey,
  resourceName,
} from './describe-configs.ts'
import type { ConfigDescription, ConfigQuestion, ConfigResource } from './describe-configs.ts'
import { onlyAnswer } from './item-result.ts'
import type { ItemResult } from './item-result.ts'
import { nameOfCode } from './named-codes.ts'
import { byKey } from './partitions.ts'
import { nodeRoute } from './routes.ts'
import type { ChangeOptions } from './topics.ts'

const operations = { set: 0, reset: 1, append: 2, subtract: 3 } as const

/** What to change of a configuration; what is not named stays. */
export interface ConfigChange extends ConfigResource {
  readonly set?: Readonly<Record<string, ConfigValue>>
  /** Entries that go back to what holds without them. */
  readonly reset?: readonly string[]
  /** What is added to entries that are lists; what is in them already stays once. */
  readonly append?: Readonly<Record<string, string | readonly string[]>>
  /** What is taken out of entries that are lists. */
  readonly subtract?: Readonly<Record<string, string | readonly string[]>>
}

/** A resource and what became of it. */
export type ConfigResult<Answer extends object = object> = ConfigResource & ItemResult<Answer>

export interface DescribeConfigsOptions extends AdminCallOptions, ConfigQuestion {}

/** Configurations of topics, brokers and groups. */
export class ConfigAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * The configuration of a resource, with where each value comes from.
   *
   * @example
   * const { entries } = await admin.configs.describe({ type: 'topic', name: 'orders' }, { synonyms: true })
   * entries.get('retention.ms')?.source // 'topic', or 'default' where nobody has set it
   */
  async describe(
    resource: ConfigResource,
    options: DescribeConfigsOptions = {},
  ): Promise<ConfigDescription> {
    return onlyAnswer(await this.describeMany([resource], options))
  }

  /** Configurations of resources, in their order. */
  describeMany(
    resources: readonly ConfigResource[],
    options: DescribeConfigsOptions = {},
  ): Promise<ConfigResult<ConfigDescription>[]> {
    const known = ['keys', 'synonyms', 'documentation']
    return adminCall(this.#world.cluster, 'configs.describe', options, known, async (call) => {
      const items = byKey('resources', resources, resourceKey)
      return inOrder(items, await describeConfigs(this.#world, call, items, options))
    })
  }

  /**
   * Changes single entries; all others stay as they are.
   *
   * @example
   * await admin.configs.alter({
   *   type: 'topic',
   *   name: 'orders',
   *   set: { 'retention.ms': 86_400_000 },
   *   reset: ['max.message.bytes'],
   * })
   */
  async alter(change: ConfigChange, options: ChangeOptions = {}): Promise<void> {
    onlyAnswer(await this.alterMany([change], options))
  }

  /** Changes the configurations of resources, each for itself. */
  alterMany(
    changes: readonly ConfigChange[],
    options: ChangeOptions = {},
  ): Promise<ConfigResult[]> {
    const known = ['validateOnly']
    return adminCall(this.#world.cluster, 'configs.alter', options, known, async (call) => {
      const items = byKey('changes', changes, resourceKey)
      return inOrder(items, await alterConfigs(this.#world, call, items, options.validateOnly))
    })
  }
}

function inOrder<Answer extends object>(
  resources: ReadonlyMap<string, ConfigResource>,
  results: ReadonlyMap<string, ItemResult<Answer>>,
): ConfigResult<Answer>[] {
  return [...resources].flatMap(([key, { type, name }]) => {
    const result = results.get(key)
    return result === undefined ? [] : [{ type, name, ...result }]
  })
}

function alterConfigs(
  { newTopics }: AdminWorld,
  call: AdminCall,
  changes: ReadonlyMap<string, ConfigChange>,
  validateOnly = false,
): Promise<Map<string, ItemResult>> {
  const entries = new Map([...changes].map(([key, change]) => [key, entriesOf(change)]))
  return askEach<ConfigChange, object>(call, changes, {
    route: nodeRoute(call, nodeIdOf),
    effect: validateOnly ? 'reads' : 'changes',
    name: resourceName,
    mayRetry: (error, { item }) =>
      isWorthAskingAgain(error) ||
      (isUnknownTopic(error) && item.type === 'topic' && newTopics.has(item.name)),
    async ask(broker, asked) {
      const { responses } = await call.request(broker, incrementalAlterConfigsApi, {
        resources: asked.map(({ key, item }) => ({
          resourceType: configResourceTypes[item.type],
          resourceName: item.name,
          configs: entries.get(key) ?? [],
        })),
        validateOnly,
      })
      return new Map<string, object | MillraceError>(
        responses.map(({ errorCode, errorMessage, resourceType, resourceName: name }) => {
          const key = `${nameOfCode(resourceType, configResourceTypes)} ${name}`
          if (errorCode === 0) return [key, {}]
          return [key, new KafkaError(errorCode, `configuration of ${key}`, errorMessage)]
        }),
      )
    },
  })
}

function entriesOf(change: ConfigChange) {
  optionsOf(change, 'change', ['type', 'name', ...Object.keys(operations)])
  const { set = {}, reset = [], append = {}, subtract = {} } = change
  const setting = Object.entries(set).map(([name, value]) => {
    return entry('set', name, configText(`change.set['${name}']`, value))
  })
  const lists = (operation: 'append' | 'subtract', of: NonNullable<ConfigChange['append']>) =>
    Object.entries(of).map(([name, value]) =>
      entry(operation, name, typeof value === 'string' ? value : value.join()),
    )
  const entries = [
    ...setting,
    ...reset.map((name) => entry('reset', name, null)),
    ...lists('append', append),
    ...lists('subtract', subtract),
  ]
  if (entries.length > 0) return entries
  throw new OptionError(
    'change',
    `of ${change.type} ${change.name} must set, reset, append or subtract something`,
  )
}

function entry(operation: keyof typeof operations, name: string, value: string | null) {
  return { name, configOperation: operations[operation], value }
}
