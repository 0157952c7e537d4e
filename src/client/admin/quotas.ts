import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { alterClientQuotasApi, describeClientQuotasApi } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import { onlyAnswer } from './item-result.ts'
import type { ItemResult } from './item-result.ts'
import { byKey } from './partitions.ts'
import { anyBrokerRoute, controllerRoute } from './routes.ts'
import type { ChangeOptions } from './topics.ts'

/** What Kafka calls the ways of telling clients apart. */
const entityTypes = { user: 'user', clientId: 'client-id', ip: 'ip' } as const

type EntityType = keyof typeof entityTypes

/**
 * Whom a quota is for: a user, a client id, both together, or an address. Null is everybody who has no quota
 * of his own.
 */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
  readonly ip?: string | null
}

/**
 * Whose quotas are meant: those whose entity has each of the parts that are given, with that name, with null
 * for the default, or with any (`'any'`).
 */
export interface QuotaFilter {
  readonly user?: QuotaMatch
  readonly clientId?: QuotaMatch
  readonly ip?: QuotaMatch
  /** Whether entities that have other parts besides are left out. @defaultValue false */
  readonly strict?: boolean
}

/** A name, the default, or whatever there is. */
export type QuotaMatch = { readonly name: string } | 'default' | 'any'

export interface QuotaDescription {
  readonly entity: QuotaEntity
  /** By Kafka's name: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`. */
  readonly quotas: ReadonlyMap<string, number>
}

/** What to change of an entity's quotas; what is not named stays. */
export interface QuotaChange {
  readonly entity: QuotaEntity
  readonly set?: Readonly<Record<string, number>>
  readonly reset?: readonly string[]
}

/** An entity and what became of it. */
export type QuotaResult = { readonly entity: QuotaEntity } & ItemResult

/** Quotas of clients. */
export class QuotaAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * The quotas that a filter matches.
   *
   * @example
   * const ofUsers = await admin.quotas.describe({ user: 'any' })
   */
  describe(filter: QuotaFilter = {}, options: AdminCallOptions = {}): Promise<QuotaDescription[]> {
    return adminCall(this.#world.cluster, 'quotas.describe', options, [], async (call) => {
      const request = filterRequest(filter)
      const { entries } = await askOne(call, anyBrokerRoute(call), async (broker) => {
        const answer = await call.request(broker, describeClientQuotasApi, request)
        checkKafkaCode(answer.errorCode, 'quotas', answer.errorMessage)
        return answer
      })
      return (entries ?? []).map(({ entity, values }) => ({
        entity: readEntity(entity),
        quotas: new Map(values.map(({ key, value }) => [key, value])),
      }))
    })
  }

  /**
   * Changes the quotas of an entity.
   *
   * @example
   * await admin.quotas.alter({
   *   entity: { user: 'alice', clientId: null },
   *   set: { producer_byte_rate: 1_000_000 },
   * })
   */
  async alter(change: QuotaChange, options: ChangeOptions = {}): Promise<void> {
    onlyAnswer<object>(await this.alterMany([change], options))
  }

  /** Changes the quotas of entities, each for itself; in their order. */
  alterMany(changes: readonly QuotaChange[], options: ChangeOptions = {}): Promise<QuotaResult[]> {
    const known = ['validateOnly']
    return adminCall(this.#world.cluster, 'quotas.alter', options, known, async (call) => {
      const items = byKey('changes', changes, ({ entity }) => entityKey(entityParts(entity)))
      const results = await alterQuotas(call, items, options.validateOnly ?? false)
      return [...items].flatMap(([key, { entity }]) => {
        const result = results.get(key)
        return result === undefined ? [] : [{ entity, ...result }]
      })
    })
  }
}

interface EntityPart {
  readonly entityType: string
  readonly entityName: string | null
}

function entityParts(entity: QuotaEntity): EntityPart[] {
  optionsOf(entity, 'entity', Object.keys(entityTypes))
  const parts = (Object.keys(entityTypes) as EntityType[]).flatMap((part) => {
    const entityName: unknown = entity[part]
    if (entityName === undefined) return []
    if (entityName === null || (typeof entityName === 'string' && entityName !== '')) {
      return [{ entityType: entityTypes[part], entityName }]
    }
    throw new OptionError(
      `entity.${part}`,
      `(${shown(entityName)}) must be a name, or null for the default`,
    )
  })
  if (parts.length > 0) return parts
  throw new OptionError('entity', 'must have a user, a clientId or an ip')
}

function entityKey(parts: readonly EntityPart[]): string {
  const sorted = parts.map(({ entityType, entityName }) => JSON.stringify([entityType, entityName]))
  return sorted.sort().join(' ')
}

function readEntity(parts: readonly EntityPart[]): QuotaEntity {
  const known = Object.entries(entityTypes)
  return Object.fromEntries(
    parts.map(({ entityType, entityName }) => {
      const part = known.find(([, type]) => type === entityType)?.[0] ?? entityType
      return [part, entityName]
    }),
  )
}

const exactMatch = 0
const defaultMatch = 1
const anyMatch = 2

function filterRequest(filter: QuotaFilter) {
  optionsOf(filter, 'filter', [...Object.keys(entityTypes), 'strict'])
  const components = (Object.keys(entityTypes) as EntityType[]).flatMap((part) => {
    const match = filter[part]
    return match === undefined ? [] : [{ entityType: entityTypes[part], ...matchOf(part, match) }]
  })
  return { components, strict: filter.strict ?? false }
}

interface MatchRequest {
  readonly matchType: number
  readonly match: string | null
}

function matchOf(part: EntityType, match: QuotaMatch): MatchRequest {
  if (match === 'any') return { matchType: anyMatch, match: null }
  if (match === 'default') return { matchType: defaultMatch, match: null }
  const { name } = match as { readonly name?: unknown }
  if (typeof name === 'string') return { matchType: exactMatch, match: name }
  const problem = `(${shown(match)}) must be { name }, 'default' or 'any'`
  throw new OptionError(`filter.${part}`, problem)
}

function operationsOf({ entity, set = {}, reset = [] }: QuotaChange) {
  for (const [key, value] of Object.entries(set)) {
    if (typeof value === 'number' && Number.isFinite(value)) continue
    throw new OptionError(`change.set['${key}']`, `(${shown(value)}) must be a number`)
  }
  const operations = [
    ...Object.entries(set).map(([key, value]) => ({ key, value, remove: false })),
    ...reset.map((key) => ({ key, value: 0, remove: true })),
  ]
  if (operations.length > 0) return operations
  throw new OptionError('change', `of ${entityName(entity)} must set or reset something`)
}

function entityName(entity: QuotaEntity): string {
  const parts = Object.entries(entity) as [string, string | null | undefined][]
  return parts.map(([part, name]) => `${part} ${name ?? 'default'}`).join(' ')
}

function alterQuotas(
  call: AdminCall,
  changes: ReadonlyMap<string, QuotaChange>,
  validateOnly: boolean,
): Promise<Map<string, ItemResult>> {
  const operations = new Map([...changes].map(([key, change]) => [key, operationsOf(change)]))
  return askEach<QuotaChange, object>(call, changes, {
    route: controllerRoute(call),
    effect: validateOnly ? 'reads' : 'changes',
    name: ({ entity }) => `quotas of ${entityName(entity)}`,
    async ask(broker, asked) {
      const { entries } = await call.request(broker, alterClientQuotasApi, {
        entries: asked.map(({ key, item }) => ({
          entity: entityParts(item.entity),
          ops: operations.get(key) ?? [],
        })),
        validateOnly,
      })
      return new Map<string, object | MillraceError>(
        entries.map(({ errorCode, errorMessage, entity }) => {
          const key = entityKey(entity)
          if (errorCode === 0) return [key, {}]
          const what = `quotas of ${entityName(readEntity(entity))}`
          return [key, new KafkaError(errorCode, what, errorMessage)]
        }),
      )
    },
  })
}
