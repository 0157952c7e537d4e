import { array, int32, int64, int8, list, string, uuid } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: list('0+', 'int32'),
}

const namedPartitions = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: list('0+', 'int32'),
}

const ofGroup = { groupId: string('0') }
const ofMember = { groupId: string('0'), memberId: string('0') }

/** The key of a member of a share group. */
export const shareMemberKey = new Message('ShareGroupMemberMetadataKey', '0', 'none', ofMember)

/** A member of a share group, and what it subscribes to. */
export const shareMemberValue = new Message('ShareGroupMemberMetadataValue', '0', '0+', {
  rackId: string('0+', { nullable: '0+' }),
  clientId: string('0+'),
  clientHost: string('0+'),
  subscribedTopicNames: list('0+', 'string'),
})

/** The key of the epoch of a share group. */
export const shareGroupEpochKey = new Message('ShareGroupMetadataKey', '0', 'none', ofGroup)

/** The epoch of a share group. */
export const shareGroupEpochValue = new Message('ShareGroupMetadataValue', '0', '0+', {
  epoch: int32('0+'),
  metadataHash: int64('0+'),
})

/** The key of the epoch of a share group's target assignment. */
export const shareTargetEpochKey = new Message(
  'ShareGroupTargetAssignmentMetadataKey',
  '0',
  'none',
  ofGroup,
)

/** The epoch of a share group's target assignment. */
export const shareTargetEpochValue = new Message(
  'ShareGroupTargetAssignmentMetadataValue',
  '0',
  '0+',
  { assignmentEpoch: int32('0+') },
)

/** The key of the part of a share group's target assignment that is for one member. */
export const shareTargetMemberKey = new Message(
  'ShareGroupTargetAssignmentMemberKey',
  '0',
  'none',
  ofMember,
)

/** The part of a share group's target assignment that is for one member. */
export const shareTargetMemberValue = new Message(
  'ShareGroupTargetAssignmentMemberValue',
  '0',
  '0+',
  { topicPartitions: array('0+', topicPartitions) },
)

/** The key of what a member of a share group has been told to read. */
export const shareAssignmentKey = new Message(
  'ShareGroupCurrentMemberAssignmentKey',
  '0',
  'none',
  ofMember,
)

/** What a member of a share group has been told to read. */
export const shareAssignmentValue = new Message(
  'ShareGroupCurrentMemberAssignmentValue',
  '0',
  '0+',
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
  },
)

/** The key of the partitions of which a share group has state. */
export const sharePartitionsKey = new Message(
  'ShareGroupStatePartitionMetadataKey',
  '0',
  'none',
  ofGroup,
)

/** The partitions of which a share group has state. */
export const sharePartitionsValue = new Message(
  'ShareGroupStatePartitionMetadataValue',
  '0',
  '0+',
  {
    initializingTopics: array('0+', namedPartitions),
    initializedTopics: array('0+', namedPartitions),
    deletingTopics: array('0+', { topicId: uuid('0+'), topicName: string('0+') }),
  },
)
