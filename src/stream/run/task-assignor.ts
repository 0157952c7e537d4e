import { cooperativeStickyAssignor } from '../../client/index.ts'
import type { Assignor, AssignorMember, TopicPartition } from '../../client/index.ts'

/**
 * Shares tasks out, as even as can be and moving few: a task is the same partition of all topics of a flow, and goes as a whole.
 * The first topic stands for all.
 */
export function taskAssignor(topics: readonly string[]): Assignor {
  const [first] = topics as readonly [string, ...string[]]
  const ofFirst = ({ topic }: TopicPartition) => topic === first
  const standIn = (member: AssignorMember): AssignorMember => ({
    ...member,
    topics: [first],
    owned: member.owned.filter(ofFirst),
  })
  return {
    name: 'millrace-tasks',
    isCooperative: true,
    userData: (context) => cooperativeStickyAssignor.userData?.(context) ?? null,
    assign: (members, counts) => {
      const shared = cooperativeStickyAssignor.assign(
        members.map(standIn),
        new Map([...counts].filter(([topic]) => topic === first)),
      )
      return new Map(
        [...shared].map(([memberId, tasks]) => [
          memberId,
          tasks.flatMap(({ partition }) => topics.map((topic) => ({ topic, partition }))),
        ]),
      )
    },
  }
}
