import { array, bytes, int32, int64, int8, list, string, struct, uuid } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: list('0+', 'int32'),
}

/** The key of the epoch of a group. */
export const groupEpochKey = new Message('ConsumerGroupMetadataKey', '0', 'none', {
  groupId: string('0'),
})

/** The epoch of a group. */
export const groupEpochValue = new Message('ConsumerGroupMetadataValue', '0', '0+', {
  epoch: int32('0+'),
  metadataHash: int64('0+', { default: 0, tag: [0, '0+'] }),
})

/** The key of a member of a group. */
export const groupMemberKey = new Message('ConsumerGroupMemberMetadataKey', '0', 'none', {
  groupId: string('0'),
  memberId: string('0'),
})

/** A member of a group, and what it subscribes to. */
export const groupMemberValue = new Message('ConsumerGroupMemberMetadataValue', '0', '0+', {
  instanceId: string('0+', { nullable: '0+' }),
  rackId: string('0+', { nullable: '0+' }),
  clientId: string('0+'),
  clientHost: string('0+'),
  subscribedTopicNames: list('0+', 'string'),
  subscribedTopicRegex: string('0+', { nullable: '0+' }),
  rebalanceTimeoutMs: int32('0+', { default: -1 }),
  serverAssignor: string('0+', { nullable: '0+' }),
  classicMemberMetadata: struct(
    '0+',
    {
      sessionTimeoutMs: int32('0+'),
      supportedProtocols: array('0+', {
        name: string('0+'),
        metadata: bytes('0+'),
      }),
    },
    { nullable: '0+', default: null, tag: [0, '0+'] },
  ),
})

/** The key of the epoch of a target assignment. */
export const targetAssignmentEpochKey = new Message(
  'ConsumerGroupTargetAssignmentMetadataKey',
  '0',
  'none',
  {
    groupId: string('0'),
  },
)

/** The epoch of a target assignment. */
export const targetAssignmentEpochValue = new Message(
  'ConsumerGroupTargetAssignmentMetadataValue',
  '0',
  '0+',
  {
    assignmentEpoch: int32('0+'),
  },
)

/** The key of the part of a target assignment that is for one member. */
export const targetAssignmentMemberKey = new Message(
  'ConsumerGroupTargetAssignmentMemberKey',
  '0',
  'none',
  {
    groupId: string('0'),
    memberId: string('0'),
  },
)

/** The part of a target assignment that is for one member. */
export const targetAssignmentMemberValue = new Message(
  'ConsumerGroupTargetAssignmentMemberValue',
  '0',
  '0+',
  {
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: list('0+', 'int32'),
    }),
  },
)

/** The key of what a member owns now. */
export const currentAssignmentKey = new Message(
  'ConsumerGroupCurrentMemberAssignmentKey',
  '0',
  'none',
  {
    groupId: string('0'),
    memberId: string('0'),
  },
)

/** What a member owns now. */
export const currentAssignmentValue = new Message(
  'ConsumerGroupCurrentMemberAssignmentValue',
  '0',
  '0+',
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
    partitionsPendingRevocation: array('0+', topicPartitions),
  },
)

/** The key of a resolved regular expression. */
export const regularExpressionKey = new Message('ConsumerGroupRegularExpressionKey', '0', 'none', {
  groupId: string('0'),
  regularExpression: string('0'),
})

/** The topics that a regular expression of a group matches. */
export const regularExpressionValue = new Message(
  'ConsumerGroupRegularExpressionValue',
  '0',
  '0+',
  {
    topics: list('0+', 'string'),
    version: int64('0+'),
    timestamp: int64('0+'),
  },
)
