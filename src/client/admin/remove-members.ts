import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { kafkaError, leaveGroupApi } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import { shown } from '../../option-checks.ts'
import type { AdminCall } from './admin-call.ts'
import { askEach } from './ask-each.ts'
import { describeGroups } from './describe-groups.ts'
import { answerOf } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { coordinatorRoute } from './routes.ts'

/** A member of a group: any by the id that the group knows it by, a static one by its own. */
export type MemberReference = { readonly memberId: string } | { readonly groupInstanceId: string }

/** A member and what became of it. */
export type MemberResult = MemberReference & ItemResult<Done>

/** The first version that names members in a list (Kafka 2.4). */
const takesManyVersion = 3

/** Removes members from a group; they join again unless they are gone. */
export async function removeMembers(
  call: AdminCall,
  groupId: string,
  members: ReadonlyMap<string, MemberReference>,
  reason: string | undefined,
): Promise<MemberResult[]> {
  const results = await askEach<MemberReference, Done>(call, members, {
    route: coordinatorRoute(call, 'group', () => groupId),
    effect: 'changes',
    name: (member) => `${memberKey(member)} of group ${groupId}`,
    async ask(broker, asked) {
      const request = {
        groupId,
        memberId: '',
        members: asked.map(({ item }) => ({
          memberId: 'memberId' in item ? item.memberId : '',
          groupInstanceId: 'memberId' in item ? null : item.groupInstanceId,
          reason: reason ?? null,
        })),
      }
      const answer = await call.request(broker, leaveGroupApi, request, {
        versionMin: takesManyVersion,
      })
      checkKafkaCode(answer.errorCode, `members of group ${groupId}`)
      return new Map<string, Done | MillraceError>(
        answer.members.map(({ memberId, groupInstanceId, errorCode }) => {
          const byInstance = groupInstanceId !== null && members.has(`instance ${groupInstanceId}`)
          const key = byInstance ? `instance ${groupInstanceId}` : `member ${memberId}`
          if (errorCode === 0) return [key, { answerWasLost: false }]
          return [key, new KafkaError(errorCode, `${key} of group ${groupId}`)]
        }),
      )
    },
    afterLostAnswer: (_, { kafkaCode }) =>
      kafkaCode === kafkaError.UNKNOWN_MEMBER_ID ? { answerWasLost: true } : undefined,
  })
  return [...members].flatMap(([key, member]) => {
    const result = results.get(key)
    return result === undefined ? [] : [{ ...member, ...result }]
  })
}

/** All members that a group has now: static ones by their own id, which a restart does not change. */
export async function membersOf(call: AdminCall, groupId: string): Promise<MemberReference[]> {
  const described = await describeGroups(call, new Map([[groupId, groupId]]), false)
  return answerOf(described.get(groupId)).members.map(({ memberId, groupInstanceId }) =>
    groupInstanceId === undefined ? { memberId } : { groupInstanceId },
  )
}

/** Names a member in maps; checks it. */
export function memberKey(member: MemberReference): string {
  const { memberId, groupInstanceId } = member as {
    readonly memberId?: unknown
    readonly groupInstanceId?: unknown
  }
  const isId = (id: unknown) => typeof id === 'string' && id !== ''
  if (isId(memberId) && groupInstanceId === undefined) return `member ${String(memberId)}`
  if (isId(groupInstanceId) && memberId === undefined) return `instance ${String(groupInstanceId)}`
  const given = `memberId ${shown(memberId)}, groupInstanceId ${shown(groupInstanceId)}`
  throw new OptionError('member', `(${given}) must have a memberId or a groupInstanceId`)
}
