import { createAclsApi } from '../../protocol/index.ts'
import type { RequestOf } from '../../protocol/index.ts'
import {
  clusterName,
  nameOfCode,
  operationCodes,
  patternTypeCodes,
  permissionCodes,
  resourceTypeCodes,
} from '../authorization/acl.ts'
import type { Acl } from '../authorization/acl.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

type Creation = RequestOf<typeof createAclsApi>['creations'][number]

/**
 * CreateAcls 1-3: adds entries, each for itself; one that is there already is granted again. An entry
 * holds when it is answered.
 */
export const createAcls = defineHandler({
  api: createAclsApi,
  versions: [1, 3],
  async handle({ creations }, { broker: { authorizer, cluster } }) {
    if (authorizer === undefined) {
      const refused = creations.map(() => refusalFields(refuseWithoutAuthorizer()))
      return { throttleTimeMs: 0, results: refused }
    }
    const acls = creations.map(aclOf)
    const sound = acls.flatMap((acl) => (isRefusal(acl) ? [] : [acl]))
    await inAdministrationTurn(cluster, () => authorizer.store.add(sound))
    const results = acls.map((acl) => refusalFields(isRefusal(acl) ? acl : undefined))
    return { throttleTimeMs: 0, results }
  },
})

function aclOf(creation: Creation): Acl | Refusal {
  const { resourceName: name, principal, host } = creation
  const type = nameOfCode(resourceTypeCodes, creation.resourceType)
  const patternType = nameOfCode(patternTypeCodes, creation.resourcePatternType)
  const operation = nameOfCode(operationCodes, creation.operation)
  const permission = nameOfCode(permissionCodes, creation.permissionType)
  if (type === undefined) return unknownCode('resourceType', creation.resourceType)
  if (patternType === undefined) {
    return unknownCode('resourcePatternType', creation.resourcePatternType)
  }
  if (operation === undefined) return unknownCode('operation', creation.operation)
  if (permission === undefined) return unknownCode('permissionType', creation.permissionType)
  if (name === '') return refuse('INVALID_REQUEST', 'the resource has no name')
  if (type === 'cluster' && name !== clusterName) {
    return refuse('INVALID_REQUEST', `the cluster's name ('${name}') must be ${clusterName}`)
  }
  if (!principal.includes(':')) {
    const problem = `principal ('${principal}') must have a type and a name, as User:alice`
    return refuse('INVALID_REQUEST', problem)
  }
  return { pattern: { type, patternType, name }, principal, host, operation, permission }
}

function unknownCode(field: string, code: number): Refusal {
  return refuse('INVALID_REQUEST', `${field} (${code}) is not one that an entry can have`)
}
