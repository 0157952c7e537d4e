import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'

/**
 * Whom a quota is for: some of a user, a client id and an address, each by name or, as null, whoever
 * has no quota of his own.
 */
export type QuotaEntity = ReadonlyMap<string, string | null>

/** One condition of DescribeClientQuotas: a name, or the default one, or any. */
export interface QuotaCondition {
  readonly entityType: string
  readonly match: { readonly name: string | null } | 'any'
}

/** A limit to set, or with null to remove. */
export interface QuotaChange {
  readonly key: string
  readonly value: number | null
}

interface QuotaLimits {
  readonly whole: boolean
  readonly max: number
}

const bytes = { whole: true, max: 2 ** 63 }
const rate = { whole: false, max: Number.MAX_VALUE }
const connections = { whole: true, max: 0x7fff_ffff }

const limitsOfClients: Readonly<Record<string, QuotaLimits>> = {
  producer_byte_rate: bytes,
  consumer_byte_rate: bytes,
  request_percentage: rate,
  controller_mutation_rate: rate,
}

const limitsOfAddresses: Readonly<Record<string, QuotaLimits>> = {
  connection_creation_rate: connections,
}

export const quotaEntityTypes: readonly string[] = ['client-id', 'user', 'ip']

/** Something that could be an address or the name of a host. */
const hostLike = /^[\w.:%-]+$/

/** The name under which the quotas of an entity are kept. */
export function quotaEntityKey(entity: QuotaEntity): string {
  return JSON.stringify([...entity].sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** Reads what `quotaEntityKey` wrote. */
export function parseQuotaEntityKey(key: string): QuotaEntity {
  return new Map(JSON.parse(key) as [string, string | null][])
}

/** What is wrong with an entity that somebody wants to give quotas to. */
export function refuseQuotaEntity(entity: QuotaEntity): Refusal | undefined {
  if (entity.size === 0) return refuse('INVALID_REQUEST', 'an entity must have a type and a name')
  for (const [type, name] of entity) {
    if (!quotaEntityTypes.includes(type)) {
      const problem = `entity type '${type}' must be one of ${quotaEntityTypes.join(', ')}`
      return refuse('INVALID_REQUEST', problem)
    }
    if (name === '') return refuse('INVALID_REQUEST', `the name of a ${type} must not be empty`)
  }
  const address = entity.get('ip')
  if (address === undefined) return undefined
  if (entity.size > 1) return refuse('INVALID_REQUEST', 'ip cannot go with user or client-id')
  if (address !== null && !hostLike.test(address)) {
    return refuse('INVALID_REQUEST', `ip '${address}' must be an address or the name of a host`)
  }
  return undefined
}

/** The quotas of an entity after some changes. */
export function changeQuotas(
  entity: QuotaEntity,
  current: ReadonlyMap<string, string>,
  changes: readonly QuotaChange[],
): ReadonlyMap<string, string> | Refusal {
  const limits = entity.has('ip') ? limitsOfAddresses : limitsOfClients
  const next = new Map(current)
  for (const { key, value } of changes) {
    if (value === null) {
      next.delete(key)
      continue
    }
    const refusal = refuseQuota(limits, key, value)
    if (refusal !== undefined) return refusal
    next.set(key, String(value))
  }
  return next
}

function refuseQuota(
  limits: Readonly<Record<string, QuotaLimits>>,
  key: string,
  value: number,
): Refusal | undefined {
  const limit = Object.hasOwn(limits, key) ? limits[key] : undefined
  if (limit === undefined) {
    const known = Object.keys(limits).join(', ')
    return refuse('INVALID_REQUEST', `quota '${key}' must be one of ${known}`)
  }
  const fits = value > 0 && value <= limit.max && (!limit.whole || Number.isInteger(value))
  if (fits) return undefined
  const kind = limit.whole ? 'a whole number' : 'a number'
  return refuse('INVALID_REQUEST', `${key} (${value}) must be ${kind} above 0, up to ${limit.max}`)
}

/** What is wrong with the conditions of a search. */
export function refuseQuotaConditions(conditions: readonly QuotaCondition[]): Refusal | undefined {
  const types = conditions.map(({ entityType }) => entityType)
  for (const [index, type] of types.entries()) {
    if (type === '') return refuse('INVALID_REQUEST', 'an entity type must not be empty')
    if (!quotaEntityTypes.includes(type)) {
      const problem = `entity type '${type}' must be one of ${quotaEntityTypes.join(', ')}`
      return refuse('UNSUPPORTED_VERSION', problem)
    }
    if (types.indexOf(type) !== index) {
      return refuse('INVALID_REQUEST', `entity type '${type}' is named twice`)
    }
  }
  if (types.includes('ip') && types.length > 1) {
    return refuse('INVALID_REQUEST', 'ip cannot go with user or client-id')
  }
  return undefined
}

/**
 * Whether an entity meets all conditions. A strict search leaves out entities with a type that no
 * condition names.
 */
export function matchesQuota(
  entity: QuotaEntity,
  conditions: readonly QuotaCondition[],
  strict: boolean,
): boolean {
  if (strict && entity.size !== conditions.length) return false
  return conditions.every(({ entityType, match }) => {
    const name = entity.get(entityType)
    return name !== undefined && (match === 'any' || match.name === name)
  })
}
