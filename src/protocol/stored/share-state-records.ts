import { array, int16, int32, int64, int8, string, uuid } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

/** The key of the state of a share partition: what a share group knows of a partition. */
export const shareSnapshotKey = new Message('ShareSnapshotKey', '0', 'none', {
  groupId: string('0'),
  topicId: uuid('0'),
  partition: int32('0'),
})

/** The state of a share partition. */
export const shareSnapshotValue = new Message('ShareSnapshotValue', '0', '0+', {
  snapshotEpoch: int32('0+'),
  stateEpoch: int32('0+'),
  leaderEpoch: int32('0+'),
  startOffset: int64('0+'),
  createTimestamp: int64('0+'),
  writeTimestamp: int64('0+'),
  stateBatches: array('0+', {
    firstOffset: int64('0+'),
    lastOffset: int64('0+'),
    deliveryState: int8('0+'),
    deliveryCount: int16('0+'),
  }),
})
