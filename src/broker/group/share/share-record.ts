import {
  Reader,
  shareAssignmentKey,
  shareAssignmentValue,
  shareGroupEpochKey,
  shareGroupEpochValue,
  shareMemberKey,
  shareMemberValue,
  sharePartitionsKey,
  sharePartitionsValue,
  shareTargetEpochKey,
  shareTargetEpochValue,
  shareTargetMemberKey,
  shareTargetMemberValue,
  Writer,
} from '../../../protocol/index.ts'
import type { DecodedMessage } from '../../../protocol/index.ts'
import { toList } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'

interface OfGroup<Kind extends string, Value> {
  readonly kind: Kind
  readonly group: string
  readonly value: Value | null
}

interface OfMember<Kind extends string, Value> extends OfGroup<Kind, Value> {
  readonly member: string
}

/** A record of a share group. */
export type ShareGroupRecord =
  | OfMember<'share-member', DecodedMessage<typeof shareMemberValue>>
  | OfGroup<'share-epoch', DecodedMessage<typeof shareGroupEpochValue>>
  | OfGroup<'share-target-epoch', DecodedMessage<typeof shareTargetEpochValue>>
  | OfMember<'share-target-member', DecodedMessage<typeof shareTargetMemberValue>>
  | OfMember<'share-assignment', DecodedMessage<typeof shareAssignmentValue>>
  | OfGroup<'share-partitions', DecodedMessage<typeof sharePartitionsValue>>

export type ShareMemberValue = DecodedMessage<typeof shareMemberValue>

/** Kafka's numbers of the kinds. */
const keyType = {
  'share-member': 10,
  'share-epoch': 11,
  'share-target-epoch': 12,
  'share-target-member': 13,
  'share-assignment': 14,
  'share-partitions': 15,
} as const satisfies Record<ShareGroupRecord['kind'], number>

export function isShareGroupRecord(record: { readonly kind: string }): record is ShareGroupRecord {
  return Object.hasOwn(keyType, record.kind)
}

export function encodeShareKey(record: ShareGroupRecord): Buffer {
  const writer = new Writer()
  writer.int16(keyType[record.kind])
  const groupId = record.group
  switch (record.kind) {
    case 'share-member':
      shareMemberKey.write(writer, { groupId, memberId: record.member }, 0)
      break
    case 'share-epoch':
      shareGroupEpochKey.write(writer, { groupId }, 0)
      break
    case 'share-target-epoch':
      shareTargetEpochKey.write(writer, { groupId }, 0)
      break
    case 'share-target-member':
      shareTargetMemberKey.write(writer, { groupId, memberId: record.member }, 0)
      break
    case 'share-assignment':
      shareAssignmentKey.write(writer, { groupId, memberId: record.member }, 0)
      break
    case 'share-partitions':
      sharePartitionsKey.write(writer, { groupId }, 0)
  }
  return writer.toBuffer()
}

export function encodeShareValue(record: ShareGroupRecord): Buffer | null {
  if (record.value === null) return null
  const writer = new Writer()
  writer.int16(0)
  switch (record.kind) {
    case 'share-member':
      shareMemberValue.write(writer, record.value, 0)
      break
    case 'share-epoch':
      shareGroupEpochValue.write(writer, record.value, 0)
      break
    case 'share-target-epoch':
      shareTargetEpochValue.write(writer, record.value, 0)
      break
    case 'share-target-member':
      shareTargetMemberValue.write(writer, record.value, 0)
      break
    case 'share-assignment':
      shareAssignmentValue.write(writer, record.value, 0)
      break
    case 'share-partitions':
      sharePartitionsValue.write(writer, record.value, 0)
  }
  return writer.toBuffer()
}

/** Reads what comes after the type of a key, and its value; undefined for kinds of other groups. */
export function decodeShareRecord(
  type: number,
  key: Reader,
  bytes: Buffer | null,
): ShareGroupRecord | undefined {
  switch (type) {
    case keyType['share-member']: {
      const { groupId: group, memberId: member } = shareMemberKey.read(key, 0)
      return { kind: 'share-member', group, member, value: decoded(shareMemberValue, bytes) }
    }
    case keyType['share-epoch']: {
      const { groupId: group } = shareGroupEpochKey.read(key, 0)
      return { kind: 'share-epoch', group, value: decoded(shareGroupEpochValue, bytes) }
    }
    case keyType['share-target-epoch']: {
      const { groupId: group } = shareTargetEpochKey.read(key, 0)
      return { kind: 'share-target-epoch', group, value: decoded(shareTargetEpochValue, bytes) }
    }
    case keyType['share-target-member']: {
      const { groupId: group, memberId: member } = shareTargetMemberKey.read(key, 0)
      const value = decoded(shareTargetMemberValue, bytes)
      return { kind: 'share-target-member', group, member, value }
    }
    case keyType['share-assignment']: {
      const { groupId: group, memberId: member } = shareAssignmentKey.read(key, 0)
      const value = decoded(shareAssignmentValue, bytes)
      return { kind: 'share-assignment', group, member, value }
    }
    case keyType['share-partitions']: {
      const { groupId: group } = sharePartitionsKey.read(key, 0)
      return { kind: 'share-partitions', group, value: decoded(sharePartitionsValue, bytes) }
    }
    default:
      return undefined
  }
}

function decoded<Value>(
  message: { read(reader: Reader, version: number): Value },
  bytes: Buffer | null,
): Value | null {
  if (bytes === null) return null
  const reader = new Reader(bytes)
  return message.read(reader, reader.int16())
}

/** The partitions of topics, as the record of initialized topics has them. */
export function sharePartitionsRecord(
  group: string,
  partitions: TopicPartitions,
  nameOf: (topicId: string) => string,
): ShareGroupRecord {
  const initializedTopics = toList(partitions).map((one) => ({
    ...one,
    topicName: nameOf(one.topicId),
  }))
  const value = { initializingTopics: [], initializedTopics, deletingTopics: [] }
  return { kind: 'share-partitions', group, value }
}
