import { describe, expect, it } from 'vitest'
import { batchOf, write } from '../consumer/fixture/writer.ts'
import { startWorld } from './fixture/world.ts'
import type { World } from './fixture/world.ts'
import type { ResetTarget } from './reset-offsets.ts'

const first = { topic: 'orders', partition: 0 }
const second = { topic: 'orders', partition: 1 }

/** Partition 0 has offsets 2 to 5, partition 1 has 0 to 3; the group is at 3 in the first. */
async function startGroup(): Promise<World> {
  const world = await startWorld()
  await world.kafka.createTopic('orders', { partitions: 2 })
  for (const { topic, partition, count } of [
    { ...first, count: 6 },
    { ...second, count: 4 },
  ]) {
    const values = Array.from({ length: count }, (_, index) => `value ${index}`)
    await write(world.cluster, topic, partition, batchOf(values))
  }
  await world.admin.records.delete({ ...first, before: 2 })
  await world.admin.groups.alterOffsets('billing', [{ ...first, offset: 3 }])
  return world
}

describe('a reset of offsets', () => {
  it('goes where it is told, and no farther than the partition reaches', async () => {
    await using world = await startGroup()
    const to = async (target: ResetTarget) => {
      const options = { validateOnly: true }
      const reset = { to: target, topics: ['orders'] }
      const found = await world.admin.groups.resetOffsets('billing', reset, options)
      return found.map((each) => each.error ?? each.offset)
    }
    expect(await to('earliest')).toEqual([2, 0])
    expect(await to('latest')).toEqual([6, 4])
    expect(await to({ offset: 3 })).toEqual([3, 3])
    expect(await to({ offset: 1 })).toEqual([2, 1])
    expect(await to({ offset: 99 })).toEqual([6, 4])
    expect(await to({ shiftBy: -2 })).toEqual([2, 0])
    expect(await to({ shiftBy: 2 })).toEqual([5, 2])
    expect(await to({ timestamp: 500 })).toEqual([2, 0])
    expect(await to({ timestamp: 5000 })).toEqual([6, 4])
    // Nothing of this was done.
    expect(await world.admin.groups.offsets('billing')).toMatchObject([{ ...first, offset: 3 }])
  })

  it('is about the partitions in which the group has an offset, where none are named', async () => {
    await using world = await startGroup()
    const { groups } = world.admin
    expect(await groups.resetOffsets('billing', { to: 'latest' })).toEqual([
      { ...first, offset: 6, previousOffset: 3 },
    ])
    expect(await groups.resetOffsets('billing', { to: 'earliest', partitions: [second] })).toEqual([
      { ...second, offset: 0, previousOffset: undefined },
    ])
    expect(await groups.offsets('billing')).toMatchObject([{ offset: 6 }, { offset: 0 }])
  })

  it('fails for the partitions that are not there, and for those only', async () => {
    await using world = await startGroup()
    const partitions = [first, { topic: 'orders', partition: 9 }]
    const results = await world.admin.groups.resetOffsets('billing', { to: 'latest', partitions })
    expect(results[0]).toMatchObject({ offset: 6 })
    expect(results[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('refuses a target that is none', async () => {
    await using world = await startWorld()
    for (const to of ['begin', { offset: -1 }, { offset: 1, shiftBy: 1 }, { timestamp: 1.5 }, {}]) {
      await expect(
        world.admin.groups.resetOffsets('billing', { to: to as never }),
      ).rejects.toMatchObject({
        code: 'MILLRACE_OPTION_INVALID',
        message: /to \(.*must be 'earliest'/,
      })
    }
  })
})

describe('offsets by time', () => {
  it('are found in all places of a partition', async () => {
    await using world = await startGroup()
    const { offsets } = world.admin
    expect(await offsets.find({ ...first, at: 'earliest' })).toMatchObject({ offset: 2 })
    expect(await offsets.find({ ...first, at: 'latest' })).toMatchObject({ offset: 6 })
    expect(await offsets.find({ ...first, at: { timestamp: 1000 } })).toMatchObject({
      offset: 2,
      timestamp: 1000,
    })
    const late = await offsets.find({ ...first, at: { timestamp: 5000 } })
    expect(late.offset).toBeUndefined()
    const highest = await offsets.find({ ...second, at: 'max-timestamp' })
    expect(highest).toMatchObject({ timestamp: 1000 })
    await expect(offsets.findInTopic('absent', 'latest')).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await expect(offsets.find({ ...first, at: 'newest' as never })).rejects.toThrow(
      /at \('newest'\) must be one of earliest, latest/,
    )
  })
})

describe('records', () => {
  it('are deleted up to an offset or to the end, by the leaders', async () => {
    await using world = await startGroup()
    const { records } = world.admin
    expect(await records.delete({ ...second, before: 'end' })).toMatchObject({ startOffset: 4 })
    const results = await records.deleteMany([
      { ...first, before: 99 },
      { ...second, before: 4 },
    ])
    expect(results[0]?.error).toMatchObject({ kafkaName: 'OFFSET_OUT_OF_RANGE' })
    expect(results[1]).toEqual({ ...second, startOffset: 4 })
    await expect(records.delete({ ...first, before: -1 })).rejects.toThrow(/before \(-1\)/)
  })

  it('are deleted also when the answer is lost and the leader has moved', async () => {
    await using world = await startGroup()
    const leader = world.kafka.leader('orders', 0)
    let isFirst = true
    using _ = world.kafka.intercept('DeleteRecords', async (_request, proceed) => {
      const outcome = await proceed()
      if (!isFirst) return outcome
      isFirst = false
      world.kafka.moveLeader('orders', 0, (leader % 3) + 1)
      world.kafka.dropConnections()
      return outcome
    })
    expect(await world.admin.records.delete({ ...first, before: 4 })).toMatchObject({
      startOffset: 4,
    })
  })
})
