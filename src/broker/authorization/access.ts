import { operationCodes } from './acl.ts'
import type { Operation, ResourceType } from './acl.ts'

/** What one client may do. */
export interface Access {
  /** Whether it may do something with a resource. */
  allows(operation: Operation, type: ResourceType, name: string): boolean
  /** Whether there can be a resource of a type that it may do something with. */
  allowsSome(operation: Operation, type: ResourceType): boolean
}

/** What everybody may do where there is no authorizer. */
export const unrestrictedAccess: Access = { allows: () => true, allowsSome: () => true }

const operationsOf = {
  topic: [
    'read',
    'write',
    'create',
    'describe',
    'delete',
    'alter',
    'describeConfigs',
    'alterConfigs',
  ],
  group: ['read', 'describe', 'delete', 'describeConfigs', 'alterConfigs'],
  cluster: [
    'create',
    'clusterAction',
    'describeConfigs',
    'alterConfigs',
    'idempotentWrite',
    'alter',
    'describe',
  ],
} as const satisfies Partial<Record<ResourceType, readonly Operation[]>>

/** The kinds of resources on which clients are told what they may do. */
export type DescribedResource = keyof typeof operationsOf

/** What stands for "not asked for". */
export const operationsNotAsked = -0x8000_0000

/** All operations on a kind of resource: what an unrestricted client may do. */
export function allOperations(type: DescribedResource): number {
  return authorizedOperations(unrestrictedAccess, type, '')
}

/** What a client may do with a resource, one bit for each operation (KIP-430). */
export function authorizedOperations(
  access: Access,
  type: DescribedResource,
  name: string,
): number {
  return operationsOf[type]
    .filter((operation) => access.allows(operation, type, name))
    .reduce((bits, operation) => bits | (1 << operationCodes[operation]), 0)
}
