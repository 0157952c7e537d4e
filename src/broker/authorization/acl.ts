/** What rights are about, by Kafka's codes. */
export const resourceTypeCodes = {
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const

/** What can be allowed or denied, by Kafka's codes. */
export const operationCodes = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
} as const

/** How an entry names resources, by Kafka's codes. */
export const patternTypeCodes = { literal: 3, prefixed: 4 } as const

/** What an entry says, by Kafka's codes. */
export const permissionCodes = { deny: 2, allow: 3 } as const

export type ResourceType = keyof typeof resourceTypeCodes
export type AclOperation = keyof typeof operationCodes
export type PatternType = keyof typeof patternTypeCodes
export type Permission = keyof typeof permissionCodes

/** What an operation of a request is called; entries alone say `all`. */
export type Operation = Exclude<AclOperation, 'all'>

/** The only name that a resource of the type cluster has. */
export const clusterName = 'kafka-cluster'
/** Stands for every name (of a literal pattern), every host, and every user (`User:*`). */
export const wildcard = '*'
export const everybody = `User:${wildcard}`

/** The resources that an entry is about. */
export interface ResourcePattern {
  readonly type: ResourceType
  readonly patternType: PatternType
  readonly name: string
}

/** Access control entry: who, from where, may or may not do what, on which resources. */
export interface Acl {
  readonly pattern: ResourcePattern
  /** `User:alice`. */
  readonly principal: string
  /** An address as text, or `*`. */
  readonly host: string
  readonly operation: AclOperation
  readonly permission: Permission
}

/** Whether a pattern is about a resource of its type. */
export function patternMatches({ patternType, name }: ResourcePattern, resource: string): boolean {
  if (patternType === 'prefixed') return resource.startsWith(name)
  return name === resource || name === wildcard
}

/** The key of a code in one of the tables above; undefined when nothing has that code. */
export function nameOfCode<Name extends string>(
  codes: Readonly<Record<Name, number>>,
  code: number,
): Name | undefined {
  const names = Object.keys(codes) as Name[]
  return names.find((name) => codes[name] === code)
}
