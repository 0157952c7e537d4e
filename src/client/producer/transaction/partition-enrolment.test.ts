/** Promise: a partition is admitted only once it was added, no request overlaps another, and nobody is forgotten. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TopicPartition } from '../../topic-partition.ts'
import { PartitionEnrolment } from './partition-enrolment.ts'

const wish = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 })

describe('partitions', () => {
  it('are admitted when they were added, whoever asks at the same time', async () => {
    const runs = fc.asyncProperty(
      fc.scheduler(),
      fc.array(wish, { minLength: 1, maxLength: 8 }),
      async (scheduler, wishes) => {
        const added = new Set<number>()
        let running = 0
        let requests = 0
        const enrolment = new PartitionEnrolment(async (partitions) => {
          running += 1
          requests += 1
          expect(running).toBe(1)
          expect(partitions.every(({ partition }) => !added.has(partition))).toBe(true)
          await scheduler.schedule(Promise.resolve(), 'answer')
          for (const { partition } of partitions) added.add(partition)
          running -= 1
        })
        const asked = wishes.map(async (partitions) => {
          await scheduler.schedule(Promise.resolve(), 'ask')
          await enrolment.admit(partitionsOf(partitions))
          expect(partitions.every((partition) => added.has(partition))).toBe(true)
        })
        await scheduler.waitIdle()
        await Promise.all(asked)
        expect(requests).toBeLessThanOrEqual(added.size)
        expect(enrolment.admit(partitionsOf([...added]))).toBeUndefined()
      },
    )
    await fc.assert(runs, { seed: 1, numRuns: 300 })
  })

  it('that were refused are asked for again', async () => {
    let fails = true
    const enrolment = new PartitionEnrolment(() =>
      fails ? Promise.reject(new Error('refused')) : Promise.resolve(),
    )
    await expect(enrolment.admit(partitionsOf([1]))).rejects.toThrow('refused')
    fails = false
    await enrolment.admit(partitionsOf([1]))
    expect(enrolment.admit(partitionsOf([1]))).toBeUndefined()
  })
})

function partitionsOf(partitions: readonly number[]): TopicPartition[] {
  return partitions.map((partition) => ({ topic: 't', partition }))
}
