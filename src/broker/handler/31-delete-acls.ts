import { deleteAclsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import {
  operationCodes,
  patternTypeCodes,
  permissionCodes,
  resourceTypeCodes,
} from '../authorization/acl.ts'
import type { Acl } from '../authorization/acl.ts'
import { aclMatches, refuseAclFilter } from '../authorization/acl-filter.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

type Filter = RequestOf<typeof deleteAclsApi>['filters'][number]
type FilterAnswer = ResponseInput<typeof deleteAclsApi>['filterResults'][number]

/** DeleteAcls 1-3: deletes the entries that each filter is about, and tells which they were. */
export const deleteAcls = defineHandler({
  api: deleteAclsApi,
  versions: [1, 3],
  async handle({ filters }, { broker: { authorizer, cluster } }) {
    if (authorizer === undefined) {
      const refused = { ...refusalFields(refuseWithoutAuthorizer()), matchingAcls: [] }
      return { throttleTimeMs: 0, filterResults: filters.map(() => refused) }
    }
    const filterResults = await inAdministrationTurn(cluster, async () => {
      // All filters look at what was there before the request: one may match what another deletes.
      const before = authorizer.store.entries
      const answers: FilterAnswer[] = []
      for (const filter of filters) answers.push(await deleteMatching(filter, before, authorizer))
      return answers
    })
    return { throttleTimeMs: 0, filterResults }
  },
})

async function deleteMatching(
  filter: Filter,
  entries: readonly Acl[],
  { store }: Authorizer,
): Promise<FilterAnswer> {
  const refusal = refuseAclFilter(filter)
  if (refusal !== undefined) return { ...refusalFields(refusal), matchingAcls: [] }
  const matching = entries.filter((acl) => aclMatches(filter, acl))
  await store.remove(matching)
  return { ...refusalFields(undefined), matchingAcls: matching.map(describeDeleted) }
}

function describeDeleted({ pattern, principal, host, operation, permission }: Acl) {
  return {
    errorCode: kafkaError.NONE,
    errorMessage: null,
    resourceType: resourceTypeCodes[pattern.type],
    resourceName: pattern.name,
    patternType: patternTypeCodes[pattern.patternType],
    principal,
    host,
    operation: operationCodes[operation],
    permissionType: permissionCodes[permission],
  }
}
