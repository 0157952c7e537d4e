/**
 * Implementations with an authorizer: who connects to `bootstrap` may do everything, who logs in at
 * `saslBootstrap` what access control lists allow.
 */
import { createAclsApi, findCoordinatorApi } from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import type { AclOperation, Permission, ResourceType } from '../../src/broker/authorization/acl.ts'
import {
  operationCodes,
  patternTypeCodes,
  permissionCodes,
  resourceTypeCodes,
} from '../../src/broker/authorization/acl.ts'
import { startRealKafka } from '../kafka/real-kafka.ts'
import type { Implementation, ImplementationName } from './implementation.ts'
import { login } from './login.ts'
import type { Port } from './port.ts'

/** Each case has a user of its own, of whom nobody else says anything. */
const userCount = 130
const password = 'wonderland'
const names = Array.from({ length: userCount }, (_, index) => `user-${index}`)
const users = Object.fromEntries(names.map((name) => [name, password]))
const superUser = { user: 'admin', password }
const properties = { 'auto.create.topics.enable': 'true' }

let usersTaken = 0

/** A user of whom nobody else says anything, as access control lists name it. */
export function nextUser(): string {
  const name = names[usersTaken]
  usersTaken += 1
  if (name === undefined) throw new Error(`there are only ${userCount} users`)
  return name
}

/** Starts an implementation with an authorizer; undefined where that cannot be had. */
export async function startSecured(name: ImplementationName): Promise<Implementation | undefined> {
  switch (name) {
    case 'embedded':
      return startEmbedded(1)
    case 'embedded-3-nodes':
      return startEmbedded(3)
    case 'kafka-4.1':
    case 'kafka-4.1-3-nodes':
      return startKafka('4.1.1')
    case 'kafka-3.9':
      return startKafka('3.9.1')
    case 'attached':
      return undefined
  }
}

function startKafka(version: '4.1.1' | '3.9.1'): Promise<Implementation> {
  return startRealKafka({
    version,
    users,
    properties: {
      ...properties,
      // A preview in Kafka 4.1, off unless one says otherwise.
      'group.share.enable': 'true',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  })
}

/** An embedded broker asks for logins everywhere: who does not say otherwise logs in as `admin`. */
async function startEmbedded(nodes: number): Promise<Implementation> {
  const { startBroker } = await import('../../src/testing/index.ts')
  const broker = await startBroker({
    nodes,
    properties,
    users: { ...users, [superUser.user]: superUser.password },
    authorizer: { superUsers: [`User:${superUser.user}`] },
  })
  return {
    bootstrap: broker.bootstrap,
    saslBootstrap: broker.bootstrap,
    login: superUser,
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}

/** A new connection on which a user has logged in. */
export async function connectAs(
  port: Port,
  user: string,
  address = port.saslAddress,
): Promise<WireClient> {
  const client = await port.connectWithoutLogin(address)
  await login(client, { user, password })
  return client
}

/** The same, to the coordinator of a group that the user may describe. */
export async function coordinatorAs(port: Port, user: string, group: string): Promise<WireClient> {
  // Any node tells, but only to who asks at the listener with logins of that listener's addresses.
  const some = await connectAs(port, user)
  await port.coordinator('group', group)
  const address = await port.eventually(`${user} finds the coordinator of ${group}`, async () => {
    const { errorCode, host, port: at } = await some.request(findCoordinatorApi, 3, { key: group })
    return errorCode === 0 ? `${host}:${at}` : undefined
  })
  return connectAs(port, user, address)
}

/** What an access control list says of a user. */
export interface Grant {
  readonly on: ResourceType
  readonly name: string
  readonly operation: AclOperation
  readonly permission?: Permission
  readonly prefixed?: boolean
  readonly host?: string
  readonly principal?: string
}

/** Adds access control entries. Kafka applies them a moment later. */
export async function grant(port: Port, user: string, grants: readonly Grant[]): Promise<void> {
  const admin = await port.any()
  const answer = await admin.request(createAclsApi, 3, {
    creations: grants.map((given) => ({
      resourceType: resourceTypeCodes[given.on],
      resourceName: given.name,
      resourcePatternType: patternTypeCodes[given.prefixed === true ? 'prefixed' : 'literal'],
      principal: given.principal ?? `User:${user}`,
      host: given.host ?? '*',
      operation: operationCodes[given.operation],
      permissionType: permissionCodes[given.permission ?? 'allow'],
    })),
  })
  const failed = answer.results.find(({ errorCode }) => errorCode !== 0)
  if (failed !== undefined) throw new Error(`not granted: ${failed.errorMessage}`)
}
