import { compareText } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import { compareMembers } from './assignor.ts'
import type { Assignments, Assignor, AssignorMember, PartitionCounts } from './assignor.ts'

/**
 * Gives each member of a topic a run of neighbouring partitions, the first members one more where it
 * does not come out even. Topics with equally many partitions are cut alike: what has the same key
 * in two of them meets in one member.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments {
    const assignments = new Map(members.map((member) => [member.memberId, [] as TopicPartition[]]))
    const ordered = [...members].sort(compareMembers)
    const topics = [...counts].sort(([one], [other]) => compareText(one, other))
    for (const [topic, count] of topics) {
      const takers = ordered.filter((member) => member.topics.includes(topic))
      let next = 0
      takers.forEach(({ memberId }, index) => {
        const share = Math.floor(count / takers.length) + (index < count % takers.length ? 1 : 0)
        for (const end = next + share; next < end; next++) {
          assignments.get(memberId)?.push({ topic, partition: next })
        }
      })
    }
    return assignments
  },
}
