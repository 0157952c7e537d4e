import { array, bytes, int32, int64, string } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
}

/** The key of a classic group. */
export const classicGroupKey = new Message('GroupMetadataKey', '0', 'none', {
  group: string('0'),
})

/** A classic group: its generation and members. */
export const classicGroupValue = new Message('GroupMetadataValue', '0-4', '4+', {
  protocolType: string('0+'),
  generation: int32('0+'),
  protocol: string('0+', { nullable: '0+' }),
  leader: string('0+', { nullable: '0+' }),
  currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
  members: array('0+', memberMetadata),
})
