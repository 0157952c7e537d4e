import { int32, int64, string, uuid } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

/** The key of a committed offset. */
export const offsetKey = new Message('OffsetCommitKey', '0', 'none', {
  group: string('0'),
  topic: string('0'),
  partition: int32('0'),
})

/** A committed offset. */
export const offsetValue = new Message('OffsetCommitValue', '0-4', '4+', {
  offset: int64('0+'),
  leaderEpoch: int32('3+', { default: -1, ignorable: true }),
  metadata: string('0+'),
  commitTimestamp: int64('0+'),
  expireTimestamp: int64('1', { default: -1, ignorable: true }),
  topicId: uuid('4+', { tag: [0, '4+'], ignorable: true }),
})
