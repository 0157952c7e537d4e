import { alterClientQuotasApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { changeQuotas, quotaEntityKey, refuseQuotaEntity } from '../config/index.ts'
import type { QuotaEntity } from '../config/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'

type EntryRequest = RequestOf<typeof alterClientQuotasApi>['entries'][number]
type EntryAnswer = ResponseInput<typeof alterClientQuotasApi>['entries'][number]

/** An entry of the request, by the entity that it is for. */
interface Alteration {
  readonly entity: QuotaEntity
  readonly ops: EntryRequest['ops']
}

/**
 * AlterClientQuotas 0-1: sets and removes quotas, for each entity all of the changes or none. They
 * are kept and described, and hold nobody back.
 */
export const alterClientQuotas = defineHandler({
  api: alterClientQuotasApi,
  versions: [0, 1],
  async handle({ entries, validateOnly }, { broker: { cluster } }) {
    const alterations = entries.map(({ entity, ops }): Alteration => ({
      entity: new Map(entity.map(({ entityType, entityName }) => [entityType, entityName])),
      ops,
    }))
    const keys = alterations.map(({ entity }) => quotaEntityKey(entity))
    const twice = repeated(keys)
    const distinct = new Map(alterations.map((each) => [quotaEntityKey(each.entity), each]))
    const answer = async ([key, alteration]: [string, Alteration]): Promise<EntryAnswer> => {
      const refusal = twice.has(key)
        ? refuse('INVALID_REQUEST', 'the request names the entity twice')
        : await alter(key, alteration, validateOnly, cluster)
      const { entity } = alteration
      return {
        ...refusalFields(refusal),
        entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
      }
    }
    const answers = await inAdministrationTurn(cluster, () =>
      Promise.all([...distinct].map(answer)),
    )
    return { throttleTimeMs: 0, entries: answers }
  },
})

async function alter(
  key: string,
  { entity, ops }: Alteration,
  validateOnly: boolean,
  cluster: Cluster,
): Promise<Refusal | undefined> {
  const wrong = refuseQuotaEntity(entity)
  if (wrong !== undefined) return wrong
  if (repeated(ops.map((op) => op.key)).size > 0) {
    return refuse('INVALID_REQUEST', 'the request names a quota of the entity twice')
  }
  const changes = ops.map((op) => ({ key: op.key, value: op.remove ? null : op.value }))
  const current = cluster.dynamicSettings('quota', key)
  const next = changeQuotas(entity, current, changes)
  if (isRefusal(next)) return next
  if (!validateOnly) await cluster.setDynamicSettings('quota', key, next)
  return undefined
}
