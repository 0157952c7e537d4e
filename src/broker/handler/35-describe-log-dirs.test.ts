import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { describeLogDirs } from './35-describe-log-dirs.ts'
import { createAdministration, logBytes, newTopic } from './administration-fixture.ts'

async function withTopics() {
  const administration = await createAdministration({ nodes: 2 })
  const topics = [
    newTopic('orders', {
      assignments: [
        [0, [1]],
        [1, [2]],
        [2, [1]],
      ],
    }),
    newTopic('payments', { assignments: [[0, [2]]] }),
  ]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

describe('DescribeLogDirs', () => {
  it.each([1, 2, 3, 4])(
    'lists the replicas of the node that is asked (version %i)',
    async (version) => {
      const { ask } = await withTopics()
      const first = await ask(describeLogDirs, version, { topics: null }, 1)
      const replica = { partitionSize: logBytes, offsetLag: 0, isFutureKey: false }
      expect(first).toMatchObject({ errorCode: 0 })
      expect(first.results).toEqual([
        {
          errorCode: 0,
          logDir: '/data/1',
          topics: [
            {
              name: 'orders',
              partitions: [
                { partitionIndex: 0, ...replica },
                { partitionIndex: 2, ...replica },
              ],
            },
          ],
          totalBytes: -1,
          usableBytes: -1,
        },
      ])
      const second = await ask(describeLogDirs, version, { topics: null }, 2)
      expect(second.results[0]?.topics.map(({ name }) => name)).toEqual(['orders', 'payments'])
    },
  )

  it('lists the partitions that are asked for, as far as there are any', async () => {
    const { ask } = await withTopics()
    const topics = [
      { topic: 'orders', partitions: [2, 1, 77] },
      { topic: 'nope', partitions: [0] },
    ]
    const { results } = await ask(describeLogDirs, 4, { topics })
    expect(results[0]?.topics).toMatchObject([
      { name: 'orders', partitions: [{ partitionIndex: 2 }] },
    ])
    const none = await ask(describeLogDirs, 4, { topics: [] })
    expect(none.results[0]?.topics).toEqual([])
  })
})
