import { describe, expect, it } from 'vitest'
import { describeQuorum } from './55-describe-quorum.ts'
import { createAdministration } from './administration-fixture.ts'

const metadata = { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }

describe('DescribeQuorum', () => {
  it.each([0, 1, 2])("describes the cluster's own log (version %i)", async (version) => {
    const { ask, cluster, nodes } = await createAdministration({ nodes: 3 })
    const [first] = nodes
    if (first !== undefined) first.running = false
    const answer = await ask(describeQuorum, version, { topics: [metadata] })
    expect(answer.errorCode).toBe(0)
    const [partition] = answer.topics[0]?.partitions ?? []
    expect(partition).toMatchObject({
      errorCode: 0,
      leaderId: 2,
      highWatermark: cluster.metadataEndOffset,
      observers: [],
    })
    expect(cluster.metadataEndOffset).toBeGreaterThan(0)
    expect(partition?.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3])
    expect(answer.nodes.map(({ nodeId }) => nodeId)).toEqual(version >= 2 ? [1, 2, 3] : [])
  })

  it('knows no other partition', async () => {
    const { ask } = await createAdministration()
    const topics = [
      { topicName: 'orders', partitions: [{ partitionIndex: 0 }] },
      { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 1 }] },
    ]
    const answer = await ask(describeQuorum, 2, { topics })
    const errors = answer.topics.flatMap((topic) => topic.partitions.map((each) => each.errorCode))
    expect(errors).toEqual([3, 3])
  })
})
