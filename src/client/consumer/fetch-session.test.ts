import { describe, expect, it } from 'vitest'
import { FetchSession } from './fetch-session.ts'
import type { FetchTarget } from './fetch-session.ts'
import type { PartitionState } from './partition-state.ts'

const version = 12

function targetOf(partition: number, highWatermark: number, fetchOffset = 5): FetchTarget {
  const state = { key: `orders-${partition}`, topic: 'orders', partition, highWatermark }
  return {
    state: state as unknown as PartitionState,
    ...{ generation: 0, topicId: undefined, fetchOffset, lastFetchedEpoch: -1 },
    ...{ currentLeaderEpoch: 0, partitionBytesMax: 1_024 },
  }
}

const partitionsIn = (request: ReturnType<FetchSession['next']>) =>
  request.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))

describe('a fetch session', () => {
  it('names a partition once, and again when its position has moved', () => {
    const session = new FetchSession()
    expect(partitionsIn(session.next(version, [targetOf(0, -1), targetOf(1, -1)]))).toEqual([0, 1])
    session.answered(7)
    const same = session.next(version, [targetOf(0, 9), targetOf(1, 9)])
    expect([same.sessionEpoch, partitionsIn(same)]).toEqual([1, []])
    session.answered(7)
    expect(partitionsIn(session.next(version, [targetOf(0, 9, 6), targetOf(1, 9)]))).toEqual([0])
  })

  it('begins anew when a partition came back of which nothing is known: the broker would not say it again', () => {
    const session = new FetchSession()
    session.next(version, [targetOf(0, -1), targetOf(1, -1)])
    session.answered(7)
    // It was given up and assigned again between two requests: the same to the broker, and new to us.
    const request = session.next(version, [targetOf(0, -1), targetOf(1, 9)])
    expect([request.sessionId, request.sessionEpoch]).toEqual([7, 0])
    expect(partitionsIn(request)).toEqual([0, 1])
  })
})
