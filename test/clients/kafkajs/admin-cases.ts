import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { until, type Case, type Cluster } from './cluster.ts'

async function topics(cluster: Cluster): Promise<void> {
  const admin = await cluster.admin()
  const topic = await cluster.topic(3)
  assert.ok((await admin.listTopics()).includes(topic))
  const { topics: described } = await admin.fetchTopicMetadata({ topics: [topic] })
  assert.equal(described[0]?.partitions.length, 3)
  assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  await until('5 partitions', async () => {
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
    return metadata.topics[0]?.partitions.length === 5
  })
  await admin.deleteTopics({ topics: [topic] })
  await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
}

async function configs(cluster: Cluster): Promise<void> {
  const admin = await cluster.admin()
  const name = await cluster.topic(1, { 'retention.ms': '5000' })
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name }
  const value = async (config: string): Promise<string | undefined> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ ...resource, configNames: [config] }],
    })
    return resources[0]?.configEntries[0]?.configValue
  }
  assert.equal(await value('retention.ms'), '5000')
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '6000' }] }],
  })
  await until('it is changed', async () => (await value('retention.ms')) === '6000')
}

async function offsets(cluster: Cluster): Promise<void> {
  const admin = await cluster.admin()
  const topic = await cluster.topic(1)
  const groupId = cluster.name('group')
  const producer = await cluster.producer()
  const messages = Array.from({ length: 10 }, (_, index) => ({
    value: `value-${index}`,
    timestamp: String(1_700_000_000_000 + index),
  }))
  await producer.send({ topic, messages })
  const [ends] = await admin.fetchTopicOffsets(topic)
  assert.deepEqual([ends?.low, ends?.high], ['0', '10'])
  const [byTime] = await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_004)
  assert.equal(byTime?.offset, '4')
  const unknown = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.equal(unknown[0]?.partitions[0]?.offset, '-1')
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '6' }] })
  const known = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.equal(known[0]?.partitions[0]?.offset, '6')
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  const [after] = await admin.fetchTopicOffsets(topic)
  assert.equal(after?.low, '3')
}

async function groups(cluster: Cluster): Promise<void> {
  const admin = await cluster.admin()
  const topic = await cluster.topic(1)
  const groupId = cluster.name('group')
  const consumer = await cluster.consumer({ groupId })
  await consumer.subscribe({ topic })
  await consumer.run({ eachMessage: () => Promise.resolve() })
  await until('it is stable', async () => {
    const { groups: described } = await admin.describeGroups([groupId])
    return described[0]?.state === 'Stable' && described[0].members.length === 1
  })
  assert.ok((await admin.listGroups()).groups.some((group) => group.groupId === groupId))
  await consumer.disconnect()
  await until('it is deleted', async () => {
    const results = await admin.deleteGroups([groupId]).catch(() => [])
    return results[0]?.errorCode === 0
  })
}

async function cluster(own: Cluster): Promise<void> {
  const admin = await own.admin()
  const described = await admin.describeCluster()
  assert.ok(described.brokers.length > 0)
  assert.ok(described.clusterId.length > 0)
}

export const adminCases: readonly Case[] = [
  { name: 'admin: topics are created, grown, listed and deleted', body: topics },
  { name: 'admin: configurations are described and altered', body: configs },
  { name: 'admin: offsets by time and of groups', body: offsets },
  { name: 'admin: groups are listed, described and deleted', body: groups },
  { name: 'admin: the cluster is described', body: cluster },
]
