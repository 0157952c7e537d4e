/** What an entry can be about. */
export const aclResourceTypes = {
  topic: 2,
  group: 3,
  cluster: 4,
  'transactional-id': 5,
  'delegation-token': 6,
  user: 7,
} as const

/** Whether a resource is named in full, or by the beginning of its name. */
export const aclPatternTypes = { literal: 3, prefixed: 4 } as const

/** `'match'`: whatever applies to a resource of that name, however it is written. */
export const aclPatternFilters = { any: 1, match: 2, ...aclPatternTypes } as const

export const aclOperations = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
  'create-tokens': 13,
  'describe-tokens': 14,
  'two-phase-commit': 15,
} as const

export const aclPermissions = { deny: 2, allow: 3 } as const

export type AclResourceType = keyof typeof aclResourceTypes
export type AclPatternType = keyof typeof aclPatternTypes
export type AclPatternFilter = keyof typeof aclPatternFilters
/** What somebody may do with a resource. */
export type AclOperation = keyof typeof aclOperations
export type AclPermission = keyof typeof aclPermissions

/** What a filter sends for what it leaves open. */
export const anyCode = 1
