import { describe, expect, it } from 'vitest'
import { fromList, noPartitions } from '../topic-partitions.ts'
import type { PartitionList, TopicPartitions } from '../topic-partitions.ts'
import { newMember } from './consumer-member.ts'
import type { ConsumerMember, MemberAssignment } from './consumer-member.ts'
import { reconcile } from './reconcile.ts'

const topicId = 't'

function of(...partitions: number[]): TopicPartitions {
  return partitions.length === 0 ? noPartitions : fromList([{ topicId, partitions }])
}

function list(...partitions: number[]): PartitionList[] {
  return [{ topicId, partitions }]
}

function member(assignment: Partial<MemberAssignment>): ConsumerMember {
  return { ...newMember('m'), epoch: 5, previousEpoch: 4, ...assignment }
}

function target(assigned: TopicPartitions, owned: readonly number[] = []) {
  const isOwned = (_: string, partition: number) => owned.includes(partition)
  return { epoch: 6, assigned, isOwned }
}

describe('reconciling', () => {
  it('leaves a member of the target epoch alone', () => {
    const stable = member({ epoch: 6, assigned: of(1) })
    expect(reconcile(stable, target(of(1)), list(1))).toBe(stable)
  })

  it('gives what is free at once, in the target epoch', () => {
    const moved = reconcile(member({ assigned: of(1) }), target(of(1, 2)), list(1))
    expect(moved).toMatchObject({ state: 'stable', epoch: 6, previousEpoch: 5 })
    expect(moved.assigned).toEqual(of(1, 2))
  })

  it('takes first, in the old epoch, and gives nothing meanwhile', () => {
    const moved = reconcile(member({ assigned: of(1, 2) }), target(of(2, 3)), list(1, 2))
    expect(moved).toMatchObject({ state: 'unrevoked', epoch: 5, previousEpoch: 5 })
    expect(moved.assigned).toEqual(of(2))
    expect(moved.pendingRevocation).toEqual(of(1))
  })

  it('needs no answer for what the member says that it has not', () => {
    const moved = reconcile(member({ assigned: of(1, 2) }), target(of(2)), list(2))
    expect(moved).toMatchObject({ state: 'stable', epoch: 6 })
    expect(moved.assigned).toEqual(of(2))
  })

  it('takes a member that says nothing to have everything', () => {
    const moved = reconcile(member({ assigned: of(1) }), target(of()), undefined)
    expect(moved.state).toBe('unrevoked')
  })

  it('waits until what was taken is gone', () => {
    const revoking = member({ state: 'unrevoked', assigned: of(2), pendingRevocation: of(1) })
    expect(reconcile(revoking, target(of(2, 3)), undefined)).toBe(revoking)
    expect(reconcile(revoking, target(of(2, 3)), list(1, 2))).toBe(revoking)
    const moved = reconcile(revoking, target(of(2, 3)), list(2))
    expect(moved).toMatchObject({ state: 'stable', epoch: 6, previousEpoch: 5 })
    expect(moved.assigned).toEqual(of(2, 3))
    expect(moved.pendingRevocation).toEqual(of())
  })

  it('takes more when the target has changed in the meantime, one epoch up', () => {
    const revoking = member({ state: 'unrevoked', assigned: of(2, 3), pendingRevocation: of(1) })
    const later = { ...target(of(3)), epoch: 9 }
    const moved = reconcile(revoking, later, list(2, 3))
    expect(moved).toMatchObject({ state: 'unrevoked', epoch: 6, previousEpoch: 5 })
    expect(moved.pendingRevocation).toEqual(of(2))
  })

  it('leaves out what others still have, and fills it in later', () => {
    const waiting = reconcile(member({ assigned: of(1) }), target(of(1, 2, 3), [1, 2]), list(1))
    expect(waiting).toMatchObject({ state: 'unreleased', epoch: 6 })
    expect(waiting.assigned).toEqual(of(1, 3))
    const still = reconcile(waiting, target(of(1, 2, 3), [1, 2, 3]), list(1, 3))
    expect(still).toMatchObject({ state: 'unreleased', epoch: 6, previousEpoch: 6 })
    const done = reconcile(still, target(of(1, 2, 3), [1, 3]), list(1, 3))
    expect(done).toMatchObject({ state: 'stable', epoch: 6 })
    expect(done.assigned).toEqual(of(1, 2, 3))
  })

  it('takes from a member that waits, too', () => {
    const waiting = member({ state: 'unreleased', assigned: of(1) })
    const moved = reconcile(waiting, target(of(2), [1]), list(1))
    expect(moved).toMatchObject({ state: 'unrevoked', epoch: 5 })
  })
})
