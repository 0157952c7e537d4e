/** The administration of the client, on whatever speaks the protocol: the same calls have the same outcome. */
import { expect } from 'vitest'
import { Admin } from '../../src/client/admin/index.ts'
import { joinClassicGroup, joinConsumerGroup } from '../../src/client/admin/fixture/members.ts'
import { createCluster } from '../../src/client/cluster/kafka-cluster.ts'
import type { KafkaCluster } from '../../src/client/cluster/kafka-cluster.ts'
import { batchOf, TransactionalWriter, write } from '../../src/client/consumer/fixture/writer.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import { resolveClientOptions } from '../../src/client/resolve-options.ts'
import { isMillraceError } from '../../src/errors.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createNodePlatform } from '../../src/platform/index.ts'
import { conformance } from './conformance.ts'
import { saslLogin } from './implementation.ts'
import type { Port } from './port.ts'

const platform = createNodePlatform()

interface Client {
  readonly port: Port
  readonly cluster: KafkaCluster
  readonly admin: Admin
}

function connect(options: ClientOptions): KafkaCluster {
  return createCluster(resolveClientOptions(options), { platform, log: silentLog })
}

/** A case with a client of its own. */
function withClient(body: (client: Client) => Promise<void>): (port: Port) => Promise<void> {
  return async (port) => {
    await using cluster = connect({ brokers: port.bootstrap })
    await body({ port, cluster, admin: new Admin(cluster) })
  }
}

conformance('the administration of the client', {
  'topics are created, described by name and id, and deleted': withClient(async (client) => {
    const { port, admin } = client
    const name = port.name('topic')
    const configs = { 'retention.ms': 86_400_000 }
    const created = await admin.topics.create({ name, partitions: 3, configs })
    expect(created).toMatchObject({ name, partitionCount: 3, answerWasLost: false })
    const { id = '' } = created
    const described = await admin.topics.describe(name, { authorizedOperations: true })
    expect(described).toMatchObject({ name, id, isInternal: false })
    expect(described.partitions.length).toBe(3)
    expect(described.authorizedOperations).toContain('delete')
    await port.eventually('the topic has its id everywhere', async () => {
      const byId = (await admin.topics.describeMany([{ id }])).get(id)
      return byId?.error === undefined && byId?.name === name ? true : undefined
    })
    await expect(admin.topics.create({ name })).rejects.toMatchObject({
      kafkaName: 'TOPIC_ALREADY_EXISTS',
    })
    await admin.topics.addPartitions({ topic: name, count: 5 })
    await port.eventually('the topic has grown', async () => {
      return (await admin.topics.describe(name)).partitions.length === 5 ? true : undefined
    })
    await admin.topics.delete({ id })
    await port.eventually('the topic is gone', async () => {
      const names = (await admin.topics.list()).map((topic) => topic.name)
      return names.includes(name) ? undefined : true
    })
    await expect(admin.topics.delete(name)).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  }),

  'topics: what cannot be created is refused for itself': withClient(async ({ port, admin }) => {
    const good = port.name('topic')
    const many = port.name('topic')
    const results = await admin.topics.createMany(
      [{ name: good }, { name: 'not good' }, { name: many, replicas: 30 }],
      { validateOnly: true },
    )
    expect(results.get(good)?.error).toBeUndefined()
    expect(results.get('not good')?.error).toMatchObject({ kafkaName: 'INVALID_TOPIC_EXCEPTION' })
    expect(results.get(many)?.error).toMatchObject({ kafkaName: 'INVALID_REPLICATION_FACTOR' })
    const described = await admin.topics.describeMany([good])
    expect(described.get(good)?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
  }),

  'configurations are altered entry by entry, and tell where values come from': withClient(
    async ({ port, admin }) => {
      const { name } = await port.topic({ configs: { 'max.message.bytes': '2000' } })
      const resource = { type: 'topic', name } as const
      const set = { 'retention.ms': 5_000 }
      await admin.configs.alter({ ...resource, set: { 'retention.ms': 1 } }, { validateOnly: true })
      const append = { 'cleanup.policy': 'compact' }
      await admin.configs.alter({ ...resource, set, append, reset: ['max.message.bytes'] })
      const options = { synonyms: true, documentation: true }
      const entries = await port.eventually('the change is known', async () => {
        const found = await admin.configs.describe(resource, options)
        return found.entries.get('retention.ms')?.value === '5000' ? found.entries : undefined
      })
      expect(entries.get('retention.ms')).toMatchObject({ source: 'topic', type: 'long' })
      expect(entries.get('retention.ms')?.synonyms[0]).toMatchObject({ source: 'topic' })
      expect(entries.get('retention.ms')?.documentation).toMatch(/\w/)
      expect(entries.get('cleanup.policy')?.value).toBe('delete,compact')
      expect(entries.get('max.message.bytes')?.source).not.toBe('topic')
      await expect(
        admin.configs.alter({ ...resource, set: { 'retention.ms': 'long' } }),
      ).rejects.toMatchObject({ kafkaName: 'INVALID_CONFIG' })
    },
  ),

  'configurations of a broker are asked of it': withClient(async ({ admin }) => {
    const { brokers } = await admin.cluster.describe()
    const resources = brokers.map(({ nodeId }) => ({ type: 'broker', name: `${nodeId}` }) as const)
    const described = await admin.configs.describeMany(resources)
    for (const { name, ...result } of described) {
      if (result.error !== undefined) throw result.error
      const entry = result.entries.get('node.id') ?? result.entries.get('broker.id')
      expect(entry?.value).toBe(name)
    }
  }),

  'offsets are found by place and time, and records deleted': withClient(async (client) => {
    const { port, cluster, admin } = client
    const topic = await port.topic({ partitions: 2, configs: { 'retention.ms': '-1' } })
    const partition = { topic: topic.name, partition: 0 }
    await write(cluster, topic.name, 0, batchOf(['a', 'b', 'c', 'd']))
    const { offsets } = admin
    const ends = await offsets.findInTopic(topic.name, 'latest')
    expect(ends).toMatchObject([{ offset: 4 }, { offset: 0 }])
    const found = await offsets.findMany([{ ...partition, at: { timestamp: 500 } }])
    expect(found).toMatchObject([{ offset: 0, timestamp: 1000 }])
    expect((await offsets.find({ ...partition, at: { timestamp: 5_000 } })).offset).toBeUndefined()
    expect(await offsets.find({ ...partition, at: 'max-timestamp' })).toMatchObject({
      timestamp: 1000,
    })
    expect((await admin.records.delete({ ...partition, before: 2 })).startOffset).toBe(2)
    expect((await offsets.find({ ...partition, at: 'earliest' })).offset).toBe(2)
    await expect(admin.records.delete({ ...partition, before: 99 })).rejects.toMatchObject({
      kafkaName: 'OFFSET_OUT_OF_RANGE',
    })
    await expect(offsets.find({ topic: 'absent', partition: 0, at: 'latest' })).rejects.toThrow(
      /UNKNOWN_TOPIC_OR_PARTITION/,
    )
  }),

  'groups of both protocols are listed, described alike, emptied and deleted': withClient(
    async ({ port, cluster, admin }) => {
      const { groups } = admin
      const { name: topic } = await port.topic()
      const classic = port.name('classic')
      const modern = port.name('modern')
      await port.coordinator('group', classic)
      await port.coordinator('group', modern)
      const memberId = await joinClassicGroup(cluster, classic, [{ topic, partition: 0 }])
      await joinConsumerGroup(cluster, modern, [topic])
      const listed = await groups.list({ types: ['consumer', 'classic'], states: ['Stable'] })
      expect(listed.find(({ groupId }) => groupId === classic)?.type).toBe('classic')
      const ofConsumers = await groups.list({ types: ['consumer'] })
      expect(ofConsumers.find(({ groupId }) => groupId === modern)?.type).toBe('consumer')
      expect(ofConsumers.find(({ groupId }) => groupId === classic)).toBeUndefined()
      // Many names, so that they are in several partitions of the groups' log.
      const absent = Array.from({ length: 12 }, (_, index) => `absent-${index}`)
      const described = await groups.describeMany([classic, modern, ...absent])
      expect(described.get(classic)).toMatchObject({
        type: 'classic',
        state: 'Stable',
        assignor: 'range',
        members: [{ memberId, topics: [topic], assignment: [{ topic, partition: 0 }] }],
      })
      expect(described.get(modern)).toMatchObject({
        type: 'consumer',
        members: [{ topics: [topic], targetAssignment: [{ topic, partition: 0 }] }],
      })
      for (const name of absent) {
        expect(described.get(name)?.error).toMatchObject({ kafkaName: 'GROUP_ID_NOT_FOUND' })
      }
      await expect(groups.delete(classic)).rejects.toMatchObject({ kafkaName: 'NON_EMPTY_GROUP' })
      const removed = await groups.removeMembers(classic, 'all', { reason: 'done' })
      expect(removed).toEqual([{ memberId, answerWasLost: false }])
      await groups.delete(classic)
      await expect(groups.describe(classic)).rejects.toMatchObject({
        kafkaName: 'GROUP_ID_NOT_FOUND',
      })
    },
  ),

  'groups: static members are removed by their own id': withClient(async (client) => {
    const { port, cluster, admin } = client
    const { name: topic } = await port.topic()
    const group = port.name('group')
    await port.coordinator('group', group)
    await joinClassicGroup(cluster, group, [{ topic, partition: 0 }], 'instance-1')
    await admin.groups.removeMember(group, { groupInstanceId: 'instance-1' })
    await expect(
      admin.groups.removeMember(group, { groupInstanceId: 'instance-1' }),
    ).rejects.toMatchObject({ kafkaName: 'UNKNOWN_MEMBER_ID' })
  }),

  'offsets of groups are set, read, reset and deleted': withClient(async (client) => {
    const { port, cluster, admin } = client
    const { groups } = admin
    const { name: topic } = await port.topic({ partitions: 2, configs: { 'retention.ms': '-1' } })
    await write(cluster, topic, 0, batchOf(['a', 'b', 'c']))
    const group = port.name('group')
    await port.coordinator('group', group)
    const first = { topic, partition: 0 }
    const second = { topic, partition: 1 }
    const set = [
      { ...first, offset: 1, metadata: 'by hand' },
      { ...second, offset: 0 },
    ]
    expect(await groups.alterOffsets(group, set)).toEqual([first, second])
    expect(await groups.offsets(group)).toMatchObject(set)
    const reset = { to: 'latest', topics: [topic] } as const
    expect(await groups.resetOffsets(group, reset)).toEqual([
      { ...first, offset: 3, previousOffset: 1 },
      { ...second, offset: 0, previousOffset: 0 },
    ])
    expect(await groups.deleteOffsets(group, [second])).toEqual([second])
    const many = await groups.offsetsOfMany([{ groupId: group }, { groupId: port.name('none') }])
    expect([...many.values()]).toMatchObject([{ offsets: [{ offset: 3 }] }, { offsets: [] }])
  }),

  'offsets of a group belong to its members while it has any': withClient(async (client) => {
    const { port, cluster, admin } = client
    const { name: topic } = await port.topic()
    const group = port.name('group')
    await port.coordinator('group', group)
    await joinClassicGroup(cluster, group, [{ topic, partition: 0 }])
    const [altered] = await admin.groups.alterOffsets(group, [{ topic, partition: 0, offset: 1 }])
    expect(altered?.error).toMatchObject({ kafkaName: 'UNKNOWN_MEMBER_ID' })
    const [deleted] = await admin.groups.deleteOffsets(group, [{ topic, partition: 0 }])
    expect(deleted?.error).toMatchObject({ kafkaName: 'GROUP_SUBSCRIBED_TO_TOPIC' })
  }),

  'users log in with the password that was set': async (port) => {
    const { user: username, password } = saslLogin
    const brokers = port.saslAddress
    const logIn = (credentials: { username: string; password: string }) =>
      connect({ brokers, sasl: { mechanism: 'SCRAM-SHA-256', credentials } })
    await using cluster = logIn({ username, password })
    const { users } = new Admin(cluster)
    const user = port.name('user')
    const secret = 'a pässword, of words'
    await users.upsert({ user, mechanism: 'SCRAM-SHA-256', password: secret })
    await port.eventually('the user can log in', async () => {
      await using own = logIn({ username: user, password: secret })
      return await own.refreshMetadata().then(
        () => true as const,
        () => undefined,
      )
    })
    expect(await users.describe(user)).toEqual({
      user,
      logins: [{ mechanism: 'SCRAM-SHA-256', iterations: 8192 }],
    })
    await users.delete(user, 'SCRAM-SHA-256')
    await expect(users.delete(user, 'SCRAM-SHA-256')).rejects.toMatchObject({
      kafkaName: 'RESOURCE_NOT_FOUND',
    })
  },

  'access control is SECURITY_DISABLED without an authorizer': withClient(async ({ admin }) => {
    await expect(admin.acls.describe()).rejects.toMatchObject({ kafkaName: 'SECURITY_DISABLED' })
  }),

  'the cluster tells its brokers, features and directories': withClient(async (client) => {
    const { port, cluster, admin } = client
    const { clusterId, brokers } = await admin.cluster.describe()
    expect(clusterId).toMatch(/\w/)
    const { finalized, supported } = await admin.cluster.features()
    expect(finalized.has('metadata.version')).toBe(true)
    expect(supported.has('metadata.version')).toBe(true)
    const { name: topic } = await port.topic({ configs: { 'retention.ms': '-1' } })
    await write(cluster, topic, 0, batchOf(['x'.repeat(1000)]))
    const all = await admin.cluster.logDirsOfMany({ partitions: [{ topic, partition: 0 }] })
    expect([...all.keys()]).toEqual(brokers.map(({ nodeId }) => nodeId))
    const sizes = [...all.values()].flatMap((result) => {
      if (result.error !== undefined) throw result.error
      const replicas = result.directories.flatMap((directory) => directory.replicas)
      return replicas.map(({ sizeBytes }) => sizeBytes)
    })
    expect(Math.max(...sizes)).toBeGreaterThan(1000)
  }),

  'transactions are listed, described, found in partitions, and aborted by hand': withClient(
    async ({ port, cluster, admin }) => {
      const { transactions } = admin
      const { name: topic } = await port.topic({ configs: { 'retention.ms': '-1' } })
      const partition = { topic, partition: 0 }
      const id = port.name('transaction')
      await port.coordinator('transaction', id)
      const writer = new TransactionalWriter(cluster, id, topic)
      const startOffset = await port.eventually('the transaction is open', () =>
        writer.write(['a', 'b']).catch((error: unknown) => {
          if (isMillraceError(error) && error.retriable) return undefined
          throw error
        }),
      )
      const described = await transactions.describe(id)
      expect(described).toMatchObject({ state: 'Ongoing', partitions: [partition] })
      const listed = await transactions.list({ states: ['Ongoing'] })
      expect(listed.some(({ transactionalId }) => transactionalId === id)).toBe(true)
      const { producerId } = described
      const producers = await transactions.producers(partition)
      expect(producers).toMatchObject([{ producerId, transactionStartOffset: startOffset }])
      const options = { topics: [topic], openLongerThanMs: 0 }
      const hanging = await transactions.findHanging(options)
      expect(hanging).toEqual({ transactions: [], unchecked: [] })
      await transactions.abort({ ...partition, startOffset })
      const stable = { ...partition, at: 'latest' } as const
      await port.eventually('the transaction is aborted', async () => {
        const { offset } = await admin.offsets.find(stable, { isolation: 'read_committed' })
        return offset === startOffset + 3 ? true : undefined
      })
      await expect(transactions.abort({ ...partition, startOffset })).rejects.toMatchObject({
        kafkaName: 'INVALID_TXN_STATE',
      })
    },
  ),

  'leaders are elected and partitions reassigned, each for itself': withClient(
    async ({ port, admin }) => {
      const { name: topic } = await port.topic()
      const partition = { topic, partition: 0 }
      const missing = { topic, partition: 7 }
      const elected = await admin.elections.preferredOfMany([partition, missing])
      expect(elected[0]).toEqual({ ...partition, wasNeeded: false })
      expect(elected[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
      const [described] = (await admin.topics.describe(topic)).partitions
      const replicas = described?.replicas ?? []
      const moved = await admin.reassignments.alterMany([
        { ...partition, replicas },
        { ...missing, replicas },
      ])
      expect(moved[0]).toEqual(partition)
      expect(moved[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
      expect(await admin.reassignments.list({ partitions: [partition] })).toEqual([])
      await expect(admin.reassignments.cancel(partition)).rejects.toMatchObject({
        kafkaName: 'NO_REASSIGNMENT_IN_PROGRESS',
      })
    },
  ),

  'quotas are set, found and taken away': withClient(async ({ port, admin }) => {
    const user = port.name('user')
    const entity = { user, clientId: null }
    const set = { producer_byte_rate: 1_000 }
    await admin.quotas.alter({ entity, set })
    const filter = { user: { name: user }, clientId: 'default' } as const
    const found = await port.eventually('the quota is known', async () => {
      const quotas = await admin.quotas.describe(filter)
      return quotas.length === 0 ? undefined : quotas
    })
    expect(found).toEqual([{ entity, quotas: new Map(Object.entries(set)) }])
    await admin.quotas.alter({ entity, reset: ['producer_byte_rate'] })
    await port.eventually('the quota is gone', async () => {
      return (await admin.quotas.describe(filter)).length === 0 ? true : undefined
    })
  }),
})
