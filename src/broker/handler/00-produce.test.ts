import { describe, expect, it } from 'vitest'
import { kafkaErrorName } from '../../protocol/index.ts'
import { produce } from './00-produce.ts'
import { createTopics } from './19-create-topics.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'

const all = -1

/** What a produce request is told of a topic on three nodes, after some of them were stopped. */
async function produced(minInsync: number, replicationFactor: number, stopped: readonly number[]) {
  const { ask, cluster, nodes } = await createAdministration({ nodes: 3 })
  const configs = { 'min.insync.replicas': String(minInsync) }
  const topics = [newTopic('orders', { partitions: 1, replicationFactor, configs })]
  await ask(createTopics, 7, { topics, timeoutMs: 1000 })
  for (const id of stopped) Object.assign(nodes[id - 1] ?? {}, { running: false })
  cluster.followNodes()
  const { leader, log } = cluster.partition('orders', 0) ?? expect.fail('there is no partition')
  // What is appended does not matter here.
  const appended = { baseOffset: 0, lastOffset: 0, logAppendTime: -1, logStartOffset: 0 }
  Object.assign(log, { append: () => appended })
  const partitionData = [{ index: 0, records: Buffer.alloc(0) }]
  const request = {
    transactionalId: null,
    acks: all,
    timeoutMs: 1000,
    topicData: [{ name: 'orders', partitionData }],
  }
  const { responses } = await ask(produce, 9, request, leader)
  return kafkaErrorName(responses[0]?.partitionResponses[0]?.errorCode ?? -1)
}

describe('Produce with acks=all', () => {
  it.each([
    { minInsync: 2, replicas: 3, stopped: [3], answer: 'NONE' },
    { minInsync: 2, replicas: 3, stopped: [2, 3], answer: 'NOT_ENOUGH_REPLICAS' },
    { minInsync: 2, replicas: 1, stopped: [], answer: 'NONE' },
    { minInsync: 5, replicas: 3, stopped: [], answer: 'NONE' },
    { minInsync: 5, replicas: 3, stopped: [3], answer: 'NOT_ENOUGH_REPLICAS' },
  ])(
    'of $replicas replicas without $stopped, min.insync.replicas=$minInsync: $answer',
    async ({ minInsync, replicas, stopped, answer }) => {
      expect(await produced(minInsync, replicas, stopped)).toBe(answer)
    },
  )
})

describe('Produce before version 3', () => {
  it('is answered with an error that its clients can read', async () => {
    const { ask } = await createAdministration()
    await ask(createTopics, 7, { topics: [newTopic('orders')], timeoutMs: 1000 })
    const partitionData = [{ index: 0, records: Buffer.alloc(0) }]
    const request = { acks: all, timeoutMs: 1000, topicData: [{ name: 'orders', partitionData }] }
    for (const version of [0, 1, 2]) {
      const { responses } = await ask(produce, version, request)
      const code = responses[0]?.partitionResponses[0]?.errorCode
      expect(kafkaErrorName(code ?? -1)).toBe('UNSUPPORTED_VERSION')
    }
  })
})
