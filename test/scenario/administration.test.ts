import kafkajs from 'kafkajs'
import { expect, it } from 'vitest'
import { numbered, startScenario, until } from './scenario.ts'

/* What administrators do with kafkajs takes effect, and what cannot be is refused by its name. */

it('topics are made, grown, listed and deleted', async () => {
  await using scenario = await startScenario()
  const admin = await scenario.clients.admin()
  const topic = 'orders'
  expect(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })).toBe(true)
  expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  expect(topics[0]?.partitions).toHaveLength(5)
  await expect(
    admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
  ).rejects.toMatchObject({ type: 'INVALID_PARTITIONS' })
  expect(await admin.listTopics()).toEqual([topic])
  await admin.deleteTopics({ topics: [topic] })
  expect(await admin.listTopics()).toEqual([])
})

it('configurations are described and altered', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  const admin = await clients.admin()
  await broker.createTopic('orders', { configs: { 'retention.ms': '5000' } })
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: 'orders' }
  const retention = async () => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ ...resource, configNames: ['retention.ms'] }],
    })
    return resources[0]?.configEntries.map(({ configValue }) => configValue)
  }
  const alter = (value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value }] }],
    })
  expect(await retention()).toEqual(['5000'])
  await alter('6000')
  expect(await retention()).toEqual(['6000'])
  await expect(alter('soon')).rejects.toMatchObject({ type: 'INVALID_CONFIG' })
})

it('offsets are found by time, and records deleted up to an offset', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const admin = await clients.admin()
  const producer = await clients.producer()
  const messages = numbered(10).map((message, index) => ({
    ...message,
    timestamp: String(1_700_000_000_000 + index),
  }))
  await producer.send({ topic: 'orders', messages })
  const [byTime] = await admin.fetchTopicOffsetsByTimestamp('orders', 1_700_000_000_004)
  expect(byTime?.offset).toBe('4')
  await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '3' }] })
  const [offsets] = await admin.fetchTopicOffsets('orders')
  expect([offsets?.low, offsets?.high]).toEqual(['3', '10'])
  expect((await clients.read('orders', 7))[0]?.offset).toBe('3')
})

it('groups are listed and described, and deleted once they are empty', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const admin = await clients.admin()
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({ eachMessage: () => Promise.resolve() })
  const state = async () => (await admin.describeGroups(['billing'])).groups[0]?.state
  await until('it is stable', async () => (await state()) === 'Stable')
  await expect(admin.deleteGroups(['billing'])).rejects.toMatchObject({
    groups: [{ error: { type: 'NON_EMPTY_GROUP' } }],
  })
  expect(await admin.listGroups()).toEqual({
    groups: [{ groupId: 'billing', protocolType: 'consumer' }],
  })
  await consumer.disconnect()
  expect(await state()).toBe('Empty')
  await admin.deleteGroups(['billing'])
  expect(await admin.listGroups()).toEqual({ groups: [] })
})

it('the cluster is described, and access rules are refused: there is no authorizer', async () => {
  await using scenario = await startScenario({ nodes: 3 })
  const { broker, clients } = scenario
  const admin = await clients.admin()
  const { brokers } = await admin.describeCluster()
  expect(brokers.map(({ host, port }) => `${host}:${port}`).join()).toBe(broker.bootstrap)
  const rule = {
    ...{ resourceType: kafkajs.AclResourceTypes.TOPIC, resourceName: 'orders' },
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
    ...{ principal: 'User:alice', host: '*' },
    operation: kafkajs.AclOperationTypes.READ,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  }
  const refused = { type: 'SECURITY_DISABLED' }
  await expect(admin.describeAcls(rule)).rejects.toMatchObject(refused)
  await expect(admin.createAcls({ acl: [rule] })).rejects.toMatchObject(refused)
})
