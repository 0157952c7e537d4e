import { describeAclsApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import {
  operationCodes,
  patternTypeCodes,
  permissionCodes,
  resourceTypeCodes,
} from '../authorization/acl.ts'
import type { Acl, ResourcePattern } from '../authorization/acl.ts'
import { aclMatches, refuseAclFilter } from '../authorization/acl-filter.ts'
import type { AclFilter } from '../authorization/acl-filter.ts'
import { defineHandler } from './handler.ts'
import { refuseWithoutAuthorizer } from './no-authorizer.ts'
import { refusalFields } from './refusal-fields.ts'

type ResourceAnswer = ResponseInput<typeof describeAclsApi>['resources'][number]

/** DescribeAcls 1-3: the entries that a filter is about, by the resources they are for. */
export const describeAcls = defineHandler({
  api: describeAclsApi,
  versions: [1, 3],
  handle(filter, { broker: { authorizer } }) {
    const refusal = authorizer === undefined ? refuseWithoutAuthorizer() : refuseAclFilter(filter)
    if (refusal !== undefined || authorizer === undefined) {
      return { throttleTimeMs: 0, ...refusalFields(refusal), resources: [] }
    }
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      errorMessage: null,
      resources: matchingResources(authorizer.store.entries, filter),
    }
  },
})

function matchingResources(entries: readonly Acl[], filter: AclFilter): ResourceAnswer[] {
  const found = new Map<ResourcePattern, Acl[]>()
  for (const acl of entries) {
    if (!aclMatches(filter, acl)) continue
    const ofPattern = found.get(acl.pattern) ?? []
    ofPattern.push(acl)
    found.set(acl.pattern, ofPattern)
  }
  return Array.from(found, ([{ type, patternType, name }, acls]) => ({
    resourceType: resourceTypeCodes[type],
    patternType: patternTypeCodes[patternType],
    resourceName: name,
    acls: acls.map(({ principal, host, operation, permission }) => ({
      principal,
      host,
      operation: operationCodes[operation],
      permissionType: permissionCodes[permission],
    })),
  }))
}
