import { describe, expect, it } from 'vitest'
import { TestCluster, errorOf } from './coordinator-fixture.ts'
import { ProducerIds } from './producer-ids.ts'

describe('producer ids', () => {
  it('are never given twice, not even after a restart', async () => {
    const cluster = await TestCluster.started()
    const seen = new Set<number>()
    for (let round = 0; round < 5; round += 1) {
      const results = await Promise.all(Array.from({ length: 23 }, () => cluster.init(null)))
      for (const result of results) seen.add('producerId' in result ? result.producerId : -1)
      await cluster.restart()
    }
    expect(seen.size).toBe(5 * 23)
  })

  it('are fetched once for all who wait', async () => {
    let blocks = 0
    const ids = new ProducerIds({
      allocate: () => Promise.resolve({ first: 100 * (blocks += 1), length: 5 }),
    })
    const all = await Promise.all(Array.from({ length: 5 }, () => ids.next()))
    expect(all).toEqual([100, 101, 102, 103, 104])
    expect(blocks).toBe(1)
  })

  it('are refused while none can be reserved, and given afterwards', async () => {
    const cluster = await TestCluster.started()
    cluster.failingBlocks = true
    expect(errorOf(await cluster.init(null))).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(errorOf(await cluster.init())).toBe('COORDINATOR_NOT_AVAILABLE')
    cluster.failingBlocks = false
    expect(errorOf(await cluster.init(null))).toBe('NONE')
    expect(errorOf(await cluster.init())).toBe('NONE')
  })

  it('give a transactional id one state, however many ask for it while ids are fetched', async () => {
    const cluster = await TestCluster.started()
    const results = await Promise.all([cluster.init(), cluster.init(), cluster.init()])
    expect(results.map(errorOf).sort()).toEqual([
      'CONCURRENT_TRANSACTIONS',
      'CONCURRENT_TRANSACTIONS',
      'NONE',
    ])
    expect(cluster.identity()).toEqual({ producerId: 0, producerEpoch: 0 })
  })
})
