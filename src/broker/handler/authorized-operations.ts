/** Kafka's AclOperation codes. */
const operation = {
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
} as const

type Operation = keyof typeof operation

const ofResource = {
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
} as const satisfies Record<string, readonly Operation[]>

/** What stands for "not asked for". */
export const operationsNotAsked = -0x8000_0000

/** All operations on a kind of resource, one bit each: what an unrestricted client may do (KIP-430). */
export function allOperations(resource: keyof typeof ofResource): number {
  return ofResource[resource].reduce((bits, name) => bits | (1 << operation[name]), 0)
}
