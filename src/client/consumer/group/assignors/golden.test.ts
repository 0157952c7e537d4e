import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { comparePartitions, partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from '../consumer-protocol.ts'
import type { Assignments, Assignor, AssignorMember } from './assignor.ts'
import { rangeAssignor } from './range.ts'
import { roundRobinAssignor } from './round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.ts'

/** One generation of a group as `test/golden/record-assignors.ts` had it from Java's assignors. */
interface Generation {
  readonly assignor: string
  readonly counts: Readonly<Record<string, number>>
  readonly members: readonly {
    readonly id: string
    readonly instance: string | null
    readonly owned: readonly string[]
    readonly generation: number
    readonly metadata: string
  }[]
  readonly assigned: Readonly<Record<string, { partitions: readonly string[]; bytes: string }>>
}

const file =
  process.env['MILLRACE_TEST_ASSIGNMENTS'] ?? new URL('golden/assignments.jsonl', import.meta.url)
const generations = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Generation)

describe.each([rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor])(
  'the assignor $name',
  (assignor) => {
    const recorded = generations.filter(({ assignor: name }) => name === assignor.name)

    it('answers what Java answers', () => {
      expect(recorded.length).toBeGreaterThan(50)
      for (const generation of recorded) {
        const assignments = assign(assignor, generation)
        const expected = assignedByJava(generation)
        expect(assignedTwice(assignments)).toEqual([])
        if (isJavaWrong(generation)) continue
        if (isWithheldByUsAlone(assignor, generation)) {
          expect(missingFrom(assignments, expected)).toEqual([])
        } else {
          expect(assignments, JSON.stringify(generation)).toEqual(expected)
        }
      }
    })

    it('writes subscriptions and assignments as Java does, and reads them', () => {
      for (const generation of recorded) {
        for (const member of generation.members) {
          const metadata = Buffer.from(member.metadata, 'hex')
          const read = readSubscription(metadata)
          if (read === undefined) throw new Error(`unreadable: ${member.metadata}`)
          const owned = member.owned.map(partitionOf)
          const isFirst = member.generation === -1
          const userData =
            assignor.userData?.({
              topics: read.topics,
              lastAssignment: isFirst ? undefined : owned,
              lastGeneration: member.generation,
            }) ?? null
          expect(writeSubscription({ ...read, userData })).toEqual(metadata)
        }
        for (const { partitions, bytes } of Object.values(generation.assigned)) {
          expect(writeAssignment(partitions.map(partitionOf)).toString('hex')).toBe(bytes)
          expect(readAssignment(Buffer.from(bytes, 'hex'))?.map(partitionKey)).toEqual(partitions)
        }
      }
    })
  },
)

function assign(assignor: Assignor, generation: Generation): Record<string, readonly string[]> {
  const members = generation.members.map(({ id, instance, metadata }): AssignorMember => {
    const subscription = readSubscription(Buffer.from(metadata, 'hex'))
    if (subscription === undefined) throw new Error(`unreadable: ${metadata}`)
    return { ...subscription, memberId: id, groupInstanceId: instance ?? undefined }
  })
  const wanted = new Set(members.flatMap(({ topics }) => topics))
  const counts = Object.entries(generation.counts).filter(([topic]) => wanted.has(topic))
  return inOrder(assignor.assign(members, new Map(counts)))
}

function inOrder(assignments: Assignments): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...assignments].map(([memberId, partitions]) => [
      memberId,
      [...partitions].sort(comparePartitions).map(partitionKey),
    ]),
  )
}

function assignedByJava({ assigned }: Generation): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(assigned).map(([memberId, { partitions }]) => [memberId, partitions]),
  )
}

/**
 * Where members that want different topics claim the same partition, Java hands it to one of them while
 * the other still has it. We withhold it; all else is the same.
 */
function isWithheldByUsAlone(assignor: Assignor, { members }: Generation): boolean {
  if (!assignor.isCooperative) return false
  const claimed = members.flatMap(({ owned }) => owned)
  return new Set(claimed).size < claimed.length
}

/**
 * A member may have had a partition, and want its topic no more. Java's sticky assignors still move it
 * back there, or stumble (then nothing is recorded).
 */
function isJavaWrong({ members, assigned }: Generation): boolean {
  return members.some(({ id, metadata }) => {
    const topics = readSubscription(Buffer.from(metadata, 'hex'))?.topics ?? []
    const partitions = assigned[id]?.partitions
    return partitions?.every((partition) => topics.includes(partitionOf(partition).topic)) !== true
  })
}

function assignedTwice(assignments: Record<string, readonly string[]>): string[] {
  const all = Object.values(assignments).flat()
  return all.filter((partition, index) => all.indexOf(partition) !== index)
}

/** What we give and Java does not. */
function missingFrom(
  ours: Record<string, readonly string[]>,
  javas: Record<string, readonly string[]>,
): string[] {
  return Object.entries(ours).flatMap(([memberId, partitions]) =>
    partitions.filter((partition) => javas[memberId]?.includes(partition) !== true),
  )
}

function partitionOf(name: string): TopicPartition {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}
