import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eachPartition, noPartitions } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import { assignShares } from './assign-shares.ts'

const topics = ['a', 'b', 'c']
const members = fc.uniqueArray(
  fc.record({
    memberId: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'),
    topicIds: fc.subarray(topics).map((ids) => new Set(ids)),
  }),
  { selector: ({ memberId }) => memberId },
)
const counts = fc.record({ a: fc.nat(5), b: fc.nat(3), c: fc.nat(1) })

function namesOf(assigned: TopicPartitions): string[] {
  return [...eachPartition(assigned)].map(([topicId, partition]) => `${topicId}-${partition}`)
}

it('gives each partition to a subscriber, and each subscriber a partition', () => {
  const check = (
    given: readonly { memberId: string; topicIds: Set<string> }[],
    sizes: Record<string, number>,
  ) => {
    const sizeOf = (topicId: string) => sizes[topicId] ?? 0
    const fresh = given.map((member) => ({ ...member, assigned: noPartitions }))
    const assignment = assignShares(fresh, sizeOf)
    const held = new Set<string>()
    for (const { memberId, topicIds } of given) {
      const assigned = assignment.get(memberId) ?? noPartitions
      const wanted = [...topicIds].reduce((sum, topicId) => sum + sizeOf(topicId), 0)
      expect(namesOf(assigned).length > 0).toBe(wanted > 0)
      for (const [topicId] of eachPartition(assigned)) expect(topicIds.has(topicId)).toBe(true)
      for (const name of namesOf(assigned)) held.add(name)
    }
    const subscribed = new Set(given.flatMap(({ topicIds }) => [...topicIds]))
    expect(held.size).toBe([...subscribed].reduce((sum, topicId) => sum + sizeOf(topicId), 0))
    // Asked again, everybody keeps what it has.
    const settled = given.map((member) => ({
      ...member,
      assigned: assignment.get(member.memberId) ?? noPartitions,
    }))
    for (const [memberId, assigned] of assignShares(settled, sizeOf)) {
      const before = namesOf(assignment.get(memberId) ?? noPartitions)
      if (given.every(({ topicIds }) => topicIds.size === topics.length)) {
        expect(namesOf(assigned).sort()).toEqual(before.sort())
      }
    }
  }
  fc.assert(fc.property(members, counts, check), { seed: 76, numRuns: 400 })
})

it('spreads members that are more than the partitions', () => {
  const given = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'].map((memberId) => ({
    memberId,
    topicIds: new Set(['a']),
    assigned: noPartitions,
  }))
  const assignment = assignShares(given, () => 3)
  const readers = [...assignment.values()].flatMap(namesOf)
  const perPartition = ['a-0', 'a-1', 'a-2'].map(
    (name) => readers.filter((read) => read === name).length,
  )
  expect(perPartition.sort()).toEqual([2, 2, 3])
})
