import { MillraceError } from '../../../errors.ts'
import { kafkaError } from '../../../protocol/index.ts'
import { KafkaError } from '../../client-error.ts'
import type { GroupMemberOptions } from './group-member-options.ts'

/** What ends a membership: another has the instance id, or the broker refuses for good. */
export function endingError(
  code: number,
  { groupId, groupInstanceId }: GroupMemberOptions,
  what: string,
  detail?: string | null,
): Error {
  if (code !== kafkaError.FENCED_INSTANCE_ID) {
    return new KafkaError(code, `${what} of group ${groupId}`, detail)
  }
  return new MillraceError(
    'MILLRACE_CLIENT_MEMBER_FENCED',
    `group ${groupId}: another member joined as '${groupInstanceId ?? ''}'; groupInstanceId must be another for each member`,
  )
}

/** A call that needs a member that has joined. */
export function notJoined(groupId: string): MillraceError {
  return new MillraceError(
    'MILLRACE_CLIENT_STATE_INVALID',
    `the member has not joined group ${groupId} yet, or is no member any more`,
  )
}
