import { compareText } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import { compareMembers } from './assignor.ts'
import type { Assignments, Assignor, AssignorMember, PartitionCounts } from './assignor.ts'

/** Deals all partitions of all topics out one by one, passing over members that do not want the topic. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments {
    const assignments = new Map(members.map((member) => [member.memberId, [] as TopicPartition[]]))
    const ordered = [...members].sort(compareMembers)
    const topics = [...counts].sort(([one], [other]) => compareText(one, other))
    let next = 0
    for (const [topic, count] of topics) {
      if (!ordered.some((member) => member.topics.includes(topic))) continue
      for (let partition = 0; partition < count; partition++) {
        while (ordered[next]?.topics.includes(topic) !== true) next = (next + 1) % ordered.length
        assignments.get(ordered[next]?.memberId ?? '')?.push({ topic, partition })
        next = (next + 1) % ordered.length
      }
    }
    return assignments
  },
}
