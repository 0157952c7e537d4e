import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { Assignments, AssignorMember } from './assignor.ts'
import { rangeAssignor } from './range.ts'
import { roundRobinAssignor } from './round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.ts'
import { readStickyUserData, writeStickyUserData } from './sticky-user-data.ts'

const member = (memberId: string, more: Partial<AssignorMember> = {}): AssignorMember => ({
  memberId,
  groupInstanceId: undefined,
  topics: ['t'],
  owned: [],
  generation: -1,
  rack: undefined,
  userData: null,
  ...more,
})

const partitions = (topic: string, ...numbers: number[]): TopicPartition[] =>
  numbers.map((partition) => ({ topic, partition }))

const topicNames = ['a', 'b', 'c', 'd']
const anyPartition = fc.record({
  topic: fc.constantFrom(...topicNames, 'gone'),
  partition: fc.nat({ max: 9 }),
})
const anyMember = fc.record({
  topics: fc.subarray(topicNames),
  owned: fc.array(anyPartition, { maxLength: 8 }),
  generation: fc.integer({ min: -1, max: 3 }),
})
const anyGroup = fc
  .record({
    members: fc.array(anyMember, { minLength: 1, maxLength: 7 }),
    counts: fc.uniqueArray(
      fc.tuple(fc.constantFrom(...topicNames), fc.integer({ min: 1, max: 8 })),
      { selector: ([topic]) => topic },
    ),
  })
  .map(({ members, counts }) => ({
    members: members.map((one, index) =>
      member(`m${index}`, {
        ...one,
        userData: writeStickyUserData({ partitions: one.owned, generation: one.generation }),
      }),
    ),
    // Topics that nobody wants never reach an assignor.
    counts: new Map(counts.filter(([topic]) => members.some((one) => one.topics.includes(topic)))),
  }))

function names(assignments: Assignments, memberId: string): string[] {
  return (assignments.get(memberId) ?? []).map(partitionKey).sort()
}

describe.each([rangeAssignor, roundRobinAssignor, stickyAssignor])('$name', (assignor) => {
  it('gives every partition to one member that wants it', () => {
    fc.assert(
      fc.property(anyGroup, ({ members, counts }) => {
        const assignments = assignor.assign(members, counts)
        const given = [...assignments.values()].flat().map(partitionKey)
        const all = [...counts].flatMap(([topic, count]) =>
          Array.from({ length: count }, (_, partition) => partitionKey({ topic, partition })),
        )
        expect(given.sort()).toEqual(all.sort())
        for (const { memberId, topics } of members) {
          expect(assignments.get(memberId)?.every(({ topic }) => topics.includes(topic))).toBe(true)
        }
      }),
      { seed: 11, numRuns: 400 },
    )
  })
})

describe('sticky', () => {
  it('leaves nobody with two less than somebody whose partition it could have', () => {
    fc.assert(
      fc.property(anyGroup, ({ members, counts }) => {
        const assignments = stickyAssignor.assign(members, counts)
        const size = (memberId: string): number => assignments.get(memberId)?.length ?? 0
        for (const { memberId, topics } of members) {
          for (const [other, held] of assignments) {
            const couldHave = held.some(({ topic }) => topics.includes(topic))
            if (couldHave) expect(size(other) - size(memberId)).toBeLessThan(2)
          }
        }
      }),
      { seed: 12, numRuns: 400 },
    )
  })

  it('moves nothing when nothing has changed', () => {
    fc.assert(
      fc.property(anyGroup, ({ members, counts }) => {
        const first = stickyAssignor.assign(members, counts)
        const again = members.map((one) => {
          const held = first.get(one.memberId) ?? []
          return { ...one, userData: writeStickyUserData({ partitions: held, generation: 5 }) }
        })
        const second = stickyAssignor.assign(again, counts)
        for (const { memberId } of members) {
          expect(names(second, memberId)).toEqual(names(first, memberId))
        }
      }),
      { seed: 13, numRuns: 200 },
    )
  })

  it('reads the user data of old members, and takes what it cannot read for nothing', () => {
    const data = writeStickyUserData({ partitions: partitions('t', 1, 2), generation: 7 })
    expect(readStickyUserData(data)).toEqual({ partitions: partitions('t', 1, 2), generation: 7 })
    expect(readStickyUserData(data.subarray(0, -4)).generation).toBe(-1)
    expect(readStickyUserData(data.subarray(0, -5)).partitions).toEqual([])
    expect(readStickyUserData(null).partitions).toEqual([])
  })
})

describe('cooperative-sticky', () => {
  it('gives nobody what the newest word says another has', () => {
    fc.assert(
      fc.property(anyGroup, ({ members: found, counts }) => {
        const members = found.map((one) => ({ ...one, userData: null }))
        const assignments = cooperativeStickyAssignor.assign(members, counts)
        for (const [memberId, given] of assignments) {
          for (const partition of given) {
            const claims = members.filter(({ owned }) =>
              owned.some((one) => partitionKey(one) === partitionKey(partition)),
            )
            const newest = Math.max(-1, ...claims.map(({ generation }) => Math.max(-1, generation)))
            const owners = claims.filter(({ generation }) => generation === newest)
            const others = owners.filter((owner) => owner.memberId !== memberId)
            expect(others).toEqual([])
          }
        }
      }),
      { seed: 14, numRuns: 600 },
    )
  })

  it('does not believe a member that claims what it had in an older generation', () => {
    const late = member('late', { owned: partitions('t', 0, 1), generation: 4 })
    const owner = member('owner', { owned: partitions('t', 1), generation: 5, topics: ['t', 'u'] })
    const counts = new Map([
      ['t', 2],
      ['u', 3],
    ])
    const assignments = cooperativeStickyAssignor.assign([late, owner], counts)
    // The balance wants t-1 back with `late`, but `owner` still has it: nobody gets it in this round.
    expect(names(assignments, 'late')).toEqual(['t-0'])
    expect(names(assignments, 'owner')).toEqual(['u-0', 'u-1', 'u-2'])
  })

  it('lets both members give up what both claim for the same generation', () => {
    const claim = { owned: partitions('t', 0), generation: 4 }
    const assignments = cooperativeStickyAssignor.assign(
      [member('one', claim), member('two', claim)],
      new Map([['t', 2]]),
    )
    expect([...assignments.values()].flat().map(partitionKey)).toEqual(['t-1'])
  })
})
