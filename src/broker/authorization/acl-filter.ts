import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import {
  nameOfCode,
  operationCodes,
  patternMatches,
  patternTypeCodes,
  permissionCodes,
  resourceTypeCodes,
} from './acl.ts'
import type { Acl, ResourcePattern } from './acl.ts'

/** A filter as clients send it. Null and the codes of `any` stand for everything. */
export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

const any = 1
/** Of pattern types: every pattern that is about the resource of the given name. */
const match = 2

/** Why a filter cannot be understood. */
export function refuseAclFilter(filter: AclFilter): Refusal | undefined {
  const { patternTypeFilter: patternType } = filter
  return (
    refuseCode('resourceType', filter.resourceTypeFilter, resourceTypeCodes) ??
    (patternType === match
      ? undefined
      : refuseCode('patternType', patternType, patternTypeCodes)) ??
    refuseCode('operation', filter.operation, operationCodes) ??
    refuseCode('permissionType', filter.permissionType, permissionCodes)
  )
}

function refuseCode(
  field: string,
  code: number,
  codes: Readonly<Record<string, number>>,
): Refusal | undefined {
  if (code === any || nameOfCode(codes, code) !== undefined) return undefined
  return refuse('INVALID_REQUEST', `${field} (${code}) is not known`)
}

/** Whether a filter is about an entry. */
export function aclMatches(filter: AclFilter, acl: Acl): boolean {
  return (
    isPatternMeant(filter, acl.pattern) &&
    (filter.principalFilter === null || filter.principalFilter === acl.principal) &&
    (filter.hostFilter === null || filter.hostFilter === acl.host) &&
    (filter.operation === any || filter.operation === operationCodes[acl.operation]) &&
    (filter.permissionType === any || filter.permissionType === permissionCodes[acl.permission])
  )
}

function isPatternMeant(filter: AclFilter, pattern: ResourcePattern): boolean {
  const { resourceTypeFilter, resourceNameFilter: name, patternTypeFilter } = filter
  if (resourceTypeFilter !== any && resourceTypeFilter !== resourceTypeCodes[pattern.type]) {
    return false
  }
  const isType = patternTypeFilter === patternTypeCodes[pattern.patternType]
  if (patternTypeFilter !== any && patternTypeFilter !== match && !isType) return false
  if (name === null) return true
  return patternTypeFilter === match ? patternMatches(pattern, name) : pattern.name === name
}
