import { describe, expect, it } from 'vitest'
import type { SourceBatch, SourceRecord } from '../driver/index.ts'
import type { Clock } from '../platform/index.ts'
import { Intake } from './intake.ts'
import { LaneTable } from './lanes/lane-table.ts'
import { LatestTime } from './latest-time.ts'
import { PartitionInput } from './partition-input.ts'

function batchOf(firstOffset: number, count: number): SourceBatch {
  const records = Array.from({ length: count }, (_, index) => {
    return { offset: firstOffset + index, timestamp: 0, sizeInBytes: 10 } as SourceRecord
  })
  const batch: Pick<SourceBatch, typeof Symbol.iterator> = {
    [Symbol.iterator]: () => records[Symbol.iterator](),
  }
  return batch as SourceBatch
}

/** An intake whose records end when they are told to, and turns of the event loop that are taken by hand. */
function newIntake() {
  const deferred: (() => void)[] = []
  const clock = {
    now: () => 0,
    elapsedMs: () => 0,
    defer: (call: () => void) => void deferred.push(call),
  }
  const input = new PartitionInput({ begun: () => undefined, ended: () => undefined })
  const world = { taken: [] as number[], endedCount: 0, isFull: false, endsAtOnce: false }
  const intake = new Intake({
    ...{ clock: clock as Clock, time: new LatestTime(clock), input, lanes: new LaneTable() },
    ...{ waitingMax: 4_096, waitingBytesMax: 1_000_000 },
    isOpen: () => true,
    isHeld: () => false,
    openCount: () => world.taken.length - world.endedCount,
    mayStart: () => true,
    blocked: () => undefined,
    accept: ({ offset }) => {
      world.taken.push(offset)
      if (world.endsAtOnce) world.endedCount++
    },
    full: (isFull) => (world.isFull = isFull),
    failed: (error) => {
      throw error
    },
  })
  const feed = (batch: SourceBatch) => {
    input.push(batch)
    intake.take()
  }
  const turn = () => {
    for (const call of deferred.splice(0)) call()
  }
  return { world, feed, turn }
}

describe('an intake', () => {
  it('takes all at once of what ends at once', () => {
    const { world, feed } = newIntake()
    world.endsAtOnce = true
    feed(batchOf(0, 10_000))
    expect([world.taken.length, world.isFull]).toEqual([10_000, false])
  })

  it('lets promises settle before it takes more than a few that did not end, in their order', () => {
    const { world, feed, turn } = newIntake()
    feed(batchOf(0, 100))
    const first = world.taken.length
    expect(first).toBeLessThan(100)
    // What is read meanwhile waits behind it.
    feed(batchOf(100, 10))
    expect(world.taken).toHaveLength(first)
    for (let turns = 0; turns < 3; turns++) turn()
    expect(world.taken).toEqual([...Array(110).keys()])
  })

  it('has no more read than it takes, however fast it is read', () => {
    const { world, feed, turn } = newIntake()
    feed(batchOf(0, 1_000))
    expect(world.isFull).toBe(false)
    feed(batchOf(1_000, 1_000))
    turn()
    expect(world.isFull).toBe(true)
    for (let turns = 0; turns < 100; turns++) {
      world.endedCount = world.taken.length
      turn()
    }
    expect([world.taken.length, world.isFull]).toEqual([2_000, false])
  })
})
