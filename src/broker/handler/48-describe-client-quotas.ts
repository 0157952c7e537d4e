import { describeClientQuotasApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { matchesQuota, parseQuotaEntityKey, refuseQuotaConditions } from '../config/index.ts'
import type { QuotaCondition } from '../config/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type ComponentRequest = RequestOf<typeof describeClientQuotasApi>['components'][number]
type EntryAnswer = NonNullable<ResponseInput<typeof describeClientQuotasApi>['entries']>[number]

const matchTypes = ['exact', 'default', 'any'] as const

/**
 * DescribeClientQuotas 0-1: the quotas of all entities that meet the conditions. They are kept, and
 * hold nobody back: no client is throttled.
 */
export const describeClientQuotas = defineHandler({
  api: describeClientQuotasApi,
  versions: [0, 1],
  handle({ components, strict }, { broker: { cluster } }) {
    const conditions = conditionsOf(components)
    if (isRefusal(conditions)) {
      return { throttleTimeMs: 0, ...refusalFields(conditions), entries: null }
    }
    const entries = findEntries(conditions, strict, cluster)
    return { throttleTimeMs: 0, ...refusalFields(undefined), entries }
  },
})

function conditionsOf(components: readonly ComponentRequest[]): QuotaCondition[] | Refusal {
  const conditions: QuotaCondition[] = []
  for (const { entityType, matchType, match } of components) {
    const how = matchTypes[matchType]
    if (how === undefined) {
      const problem = `matchType (${matchType}) must be 0 (exact), 1 (default) or 2 (any)`
      return refuse('INVALID_REQUEST', problem)
    }
    if ((how === 'exact') !== (match !== null)) {
      const problem = `a match is for matchType 0 (exact) alone, and not for none; got ${how}`
      return refuse('INVALID_REQUEST', problem)
    }
    conditions.push({ entityType, match: how === 'any' ? 'any' : { name: match } })
  }
  return refuseQuotaConditions(conditions) ?? conditions
}

function findEntries(
  conditions: readonly QuotaCondition[],
  strict: boolean,
  cluster: Cluster,
): EntryAnswer[] {
  return cluster.dynamicSettingNames('quota').flatMap((key) => {
    const entity = parseQuotaEntityKey(key)
    if (!matchesQuota(entity, conditions, strict)) return []
    const quotas = cluster.dynamicSettings('quota', key)
    return {
      entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
      values: Array.from(quotas, ([name, value]) => ({ key: name, value: Number(value) })),
    }
  })
}
