import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  eachPartition,
  fromList,
  hasPartition,
  noPartitions,
  partitionCount,
} from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import { assignors } from './assignor.ts'
import type { AssignedMember, AssignmentTask } from './assignor.ts'

function member(
  memberId: string,
  topicIds: readonly string[],
  assigned = noPartitions,
): AssignedMember {
  return { memberId, instanceId: null, topicIds: new Set(topicIds), assigned }
}

function task(members: readonly AssignedMember[], counts: Record<string, number>): AssignmentTask {
  return { members, partitionCount: (topicId) => counts[topicId] ?? 0 }
}

function run(name: string, given: AssignmentTask): ReadonlyMap<string, TopicPartitions> {
  const assignor = assignors.get(name)
  if (assignor === undefined) throw new Error(`there is no assignor ${name}`)
  return assignor(given)
}

const topicNames = ['a', 'b', 'c', 'd']
const counts = fc.record({
  a: fc.nat({ max: 9 }),
  b: fc.nat({ max: 9 }),
  c: fc.nat({ max: 9 }),
  d: fc.nat({ max: 9 }),
})
const subscription = fc.subarray(topicNames)
const subscriptions = fc.array(subscription, { minLength: 1, maxLength: 7 })

function membersOf(topics: readonly (readonly string[])[]): AssignedMember[] {
  return topics.map((topicIds, index) => member(`m${index}`, topicIds))
}

function continued(
  members: readonly AssignedMember[],
  before: ReadonlyMap<string, TopicPartitions>,
): AssignedMember[] {
  return members.map((one) => ({ ...one, assigned: before.get(one.memberId) ?? noPartitions }))
}

/** Each partition of each subscribed topic has one owner, which subscribes to it. */
function expectComplete(given: AssignmentTask, result: ReadonlyMap<string, TopicPartitions>): void {
  const seen = new Set<string>()
  for (const one of given.members) {
    for (const [topicId, partition] of eachPartition(result.get(one.memberId) ?? noPartitions)) {
      expect(one.topicIds.has(topicId)).toBe(true)
      expect(partition).toBeLessThan(given.partitionCount(topicId))
      expect(seen.has(`${topicId}-${partition}`)).toBe(false)
      seen.add(`${topicId}-${partition}`)
    }
  }
  const topicIds = new Set(given.members.flatMap((one) => [...one.topicIds]))
  const expected = [...topicIds].reduce((sum, topicId) => sum + given.partitionCount(topicId), 0)
  expect(seen.size).toBe(expected)
}

/** No chain of handovers leads from a member to one that has at least two partitions fewer. */
function expectEven(given: AssignmentTask, result: ReadonlyMap<string, TopicPartitions>): void {
  const load = (id: string) => partitionCount(result.get(id) ?? noPartitions)
  for (const start of given.members) {
    const reached = new Set([start.memberId])
    for (const id of reached) {
      for (const [topicId] of eachPartition(result.get(id) ?? noPartitions)) {
        for (const other of given.members) {
          if (other.topicIds.has(topicId)) reached.add(other.memberId)
        }
      }
    }
    for (const id of reached) expect(load(start.memberId) - load(id)).toBeLessThanOrEqual(1)
  }
}

function movedPartitions(
  before: ReadonlyMap<string, TopicPartitions>,
  after: ReadonlyMap<string, TopicPartitions>,
): number {
  let moved = 0
  for (const [id, partitions] of before) {
    for (const [topicId, partition] of eachPartition(partitions)) {
      if (!hasPartition(after.get(id) ?? noPartitions, topicId, partition)) moved += 1
    }
  }
  return moved
}

describe.each(['uniform', 'range'])('the %s assignor', (name) => {
  it('gives every partition to one subscriber', () => {
    fc.assert(
      fc.property(subscriptions, counts, (topics, sizes) => {
        const given = task(membersOf(topics), sizes)
        expectComplete(given, run(name, given))
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('changes nothing when nothing has changed', () => {
    fc.assert(
      fc.property(subscriptions, counts, (topics, sizes) => {
        const members = membersOf(topics)
        const before = run(name, task(members, sizes))
        const after = run(name, task(continued(members, before), sizes))
        expect(movedPartitions(before, after)).toBe(0)
      }),
      { seed: 2, numRuns: 300 },
    )
  })
})

describe('the uniform assignor', () => {
  it('is as even as the subscriptions allow, whatever was assigned before', () => {
    fc.assert(
      fc.property(subscriptions, subscriptions, counts, counts, (old, topics, oldSizes, sizes) => {
        const before = run('uniform', task(membersOf(old), oldSizes))
        const given = task(continued(membersOf(topics), before), sizes)
        const result = run('uniform', given)
        expectComplete(given, result)
        expectEven(given, result)
      }),
      { seed: 3, numRuns: 1000 },
    )
  })

  it('moves no partition more than evenness needs when members come and go', () => {
    const groupSize = fc.integer({ min: 1, max: 8 })
    fc.assert(
      fc.property(groupSize, groupSize, counts, (sizeBefore, sizeAfter, sizes) => {
        const group = (size: number) => membersOf(Array.from({ length: size }, () => topicNames))
        const before = run('uniform', task(group(sizeBefore), sizes))
        const given = task(continued(group(sizeAfter), before), sizes)
        const after = run('uniform', given)
        const held = given.members.map((one) => partitionCount(one.assigned))
        expect(movedPartitions(before, after)).toBe(
          fewestMoves(
            held,
            topicNames.reduce((sum, id) => sum + given.partitionCount(id), 0),
          ) +
            [...before]
              .filter(([id]) => !after.has(id))
              .reduce((sum, [, p]) => sum + partitionCount(p), 0),
        )
      }),
      { seed: 4, numRuns: 500 },
    )
  })

  it('passes partitions on through a member that subscribes to two topics', () => {
    const members = [
      member('one', ['a'], fromList([{ topicId: 'a', partitions: [0, 1] }])),
      member('two', ['a', 'b'], fromList([{ topicId: 'b', partitions: [0, 1, 2] }])),
      member('three', ['b'], fromList([{ topicId: 'b', partitions: [3, 4, 5, 6] }])),
    ]
    const result = run('uniform', task(members, { a: 2, b: 7 }))
    expect([...result.values()].map(partitionCount)).toEqual([2, 3, 4])
    const grown = run('uniform', task(members, { a: 3, b: 8 }))
    expect([...grown.values()].map(partitionCount)).toEqual([3, 4, 4])
  })

  it('divides ten thousand partitions among five hundred members in no time', () => {
    const topics = Array.from({ length: 100 }, (_, index) => `t${index}`)
    const members = Array.from({ length: 500 }, (_, index) => member(`m${index}`, topics))
    const given: AssignmentTask = { members, partitionCount: () => 100 }
    const before = run('uniform', given)
    const after = run('uniform', { ...given, members: continued(members.slice(0, 250), before) })
    expect(new Set([...after.values()].map(partitionCount))).toEqual(new Set([40]))
  })
})

/** The largest holders keep the shares that are larger by one. */
function fewestMoves(held: readonly number[], total: number): number {
  const least = Math.floor(total / held.length)
  const larger = total % held.length
  return [...held]
    .sort((a, b) => b - a)
    .reduce(
      (moves, count, index) => moves + Math.max(0, count - least - (index < larger ? 1 : 0)),
      0,
    )
}

describe('the range assignor', () => {
  it('gives neighbouring partitions, static members first, alike for topics of the same size', () => {
    const members = [
      member('x', ['a', 'b']),
      { ...member('y', ['a', 'b']), instanceId: 'i2' },
      { ...member('z', ['a', 'b', 'c']), instanceId: 'i1' },
    ]
    const result = run('range', task(members, { a: 4, b: 4, c: 2 }))
    expect(result.get('z')).toEqual(
      fromList([
        { topicId: 'a', partitions: [0, 1] },
        { topicId: 'b', partitions: [0, 1] },
        { topicId: 'c', partitions: [0, 1] },
      ]),
    )
    expect(result.get('y')).toEqual(
      fromList([
        { topicId: 'a', partitions: [2] },
        { topicId: 'b', partitions: [2] },
      ]),
    )
    expect(result.get('x')).toEqual(
      fromList([
        { topicId: 'a', partitions: [3] },
        { topicId: 'b', partitions: [3] },
      ]),
    )
  })
})
