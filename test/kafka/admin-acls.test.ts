/** Promise: access control entries mean to Kafka's authorizer what they say here. */
import { describe, expect, it } from 'vitest'
import { Admin } from '../../src/client/admin/index.ts'
import { createCluster } from '../../src/client/cluster/kafka-cluster.ts'
import { resolveClientOptions } from '../../src/client/resolve-options.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import { startRealKafka } from './real-kafka.ts'

const alice = { username: 'alice', password: 'wonderland' }

const entry = {
  resourceType: 'topic',
  resourceName: 'orders',
  principal: 'User:alice',
  operation: 'describe',
  permission: 'allow',
} as const

describe('an authorizer', () => {
  it('allows what an entry allows, until it is deleted', { timeout: 120_000 }, async () => {
    await using kafka = await startRealKafka({
      users: { [alice.username]: alice.password },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    })
    const connect = (brokers: string, sasl?: object) => {
      const options = resolveClientOptions({ brokers, ...sasl })
      return createCluster(options, { platform: createNodePlatform(), log: silentLog })
    }
    await using ofRoot = connect(kafka.bootstrap)
    const login = { sasl: { mechanism: 'SCRAM-SHA-256', credentials: alice } }
    await using ofAlice = connect(kafka.saslBootstrap ?? '', login)
    const root = new Admin(ofRoot)
    await root.topics.create({ name: 'orders' })
    const seenByAlice = async () => (await new Admin(ofAlice).topics.list()).map(({ name }) => name)
    expect(await seenByAlice()).toEqual([])

    const denied = { ...entry, resourceName: 'secret-', patternType: 'prefixed' } as const
    await root.acls.createMany([entry, { ...denied, permission: 'deny', host: '127.0.0.1' }])
    await expect.poll(seenByAlice, { timeout: 20_000 }).toEqual(['orders'])
    const bound = { ...entry, patternType: 'literal', host: '*' }
    expect(await root.acls.describe({ resourceName: 'orders' })).toEqual([bound])
    const matching = {
      resourceType: 'topic',
      resourceName: 'secret-1',
      patternType: 'match',
    } as const
    expect(await root.acls.describe(matching)).toEqual([
      { ...denied, permission: 'deny', host: '127.0.0.1' },
    ])
    expect(await root.acls.describe()).toHaveLength(2)

    const deleted = await root.acls.delete({ principal: 'User:alice', permission: 'allow' })
    expect(deleted).toMatchObject({ entries: [bound], answerWasLost: false })
    await expect.poll(seenByAlice, { timeout: 20_000 }).toEqual([])
    const described = await root.topics.describe('orders', { authorizedOperations: true })
    expect(described.authorizedOperations).toContain('alter-configs')
  })
})
