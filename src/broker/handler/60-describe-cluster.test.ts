import { describe, expect, it } from 'vitest'
import { describeCluster } from './60-describe-cluster.ts'
import { createAdministration } from './administration-fixture.ts'

const notAsked = -0x8000_0000

async function withStoppedNode() {
  const administration = await createAdministration({ nodes: 3 })
  const [first] = administration.nodes
  if (first !== undefined) first.running = false
  return administration
}

describe('DescribeCluster', () => {
  it.each([0, 1, 2])('lists the nodes that run (version %i)', async (version) => {
    const { ask, cluster } = await withStoppedNode()
    const answer = await ask(describeCluster, version, {
      includeClusterAuthorizedOperations: false,
    })
    expect(answer).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      endpointType: 1,
      clusterId: cluster.id,
      controllerId: 2,
      clusterAuthorizedOperations: notAsked,
    })
    expect(answer.brokers.map(({ brokerId, port }) => [brokerId, port])).toEqual([
      [2, 9093],
      [3, 9094],
    ])
  })

  it('lists stopped nodes as fenced ones, when they are asked for', async () => {
    const { ask } = await withStoppedNode()
    const answer = await ask(describeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: true,
    })
    expect(answer.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ])
  })

  it('says what one may do, when that is asked', async () => {
    const { ask } = await createAdministration()
    const answer = await ask(describeCluster, 2, { includeClusterAuthorizedOperations: true })
    expect(answer.clusterAuthorizedOperations).toBe(8096)
  })

  it.each([
    ['controllers', 2, 114],
    ['what nobody knows', 9, 115],
  ])('refuses to list %s', async (_what, endpointType, error) => {
    const { ask } = await createAdministration()
    const answer = await ask(describeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      endpointType,
    })
    expect(answer).toMatchObject({ errorCode: error, clusterId: '', controllerId: -1, brokers: [] })
  })
})
