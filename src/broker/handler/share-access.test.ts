import { expect, it } from 'vitest'
import { createAdministration } from './administration-fixture.ts'
import type { RequestContext } from './handler.ts'
import { findSharedPartition } from './share-access.ts'

/** What is answered about a partition to who may do `operations` with its topic. */
async function outcome(operations: readonly string[], nodeId = 1): Promise<unknown> {
  const { cluster } = await createAdministration()
  const configs = new Map<string, string>()
  await cluster.createTopic({ name: 'orders', partitions: 1, replicationFactor: 1, configs })
  const context = {
    broker: { cluster },
    nodeId,
    access: { allows: (operation: string) => operations.includes(operation) },
  } as unknown as RequestContext
  const topicId = cluster.topic('orders')?.id ?? ''
  const found = findSharedPartition({ topicId, partition: 0 }, context)
  return 'error' in found ? found.error : found.topic.name
}

it('a share group reads what its member may read, from the node that leads it', async () => {
  expect(await outcome(['read', 'describe'])).toBe('orders')
  expect(await outcome(['describe', 'write'])).toBe('TOPIC_AUTHORIZATION_FAILED')
  expect(await outcome(['read'], 99)).toBe('NOT_LEADER_OR_FOLLOWER')
})
