import {
  classicGroupKey,
  classicGroupValue,
  currentAssignmentKey,
  currentAssignmentValue,
  groupEpochKey,
  groupEpochValue,
  groupMemberKey,
  groupMemberValue,
  offsetKey,
  offsetValue,
  Reader,
  regularExpressionKey,
  regularExpressionValue,
  targetAssignmentEpochKey,
  targetAssignmentEpochValue,
  targetAssignmentMemberKey,
  targetAssignmentMemberValue,
  Writer,
} from '../../protocol/index.ts'
import type { DecodedMessage } from '../../protocol/index.ts'
import type { StateRecord } from '../coordinator-log.ts'
import {
  decodeShareRecord,
  encodeShareKey,
  encodeShareValue,
  isShareGroupRecord,
} from './share/share-record.ts'
import type { ShareGroupRecord } from './share/share-record.ts'

export type OffsetValue = DecodedMessage<typeof offsetValue>
export type ClassicGroupValue = DecodedMessage<typeof classicGroupValue>
export type GroupEpochValue = DecodedMessage<typeof groupEpochValue>
export type GroupMemberValue = DecodedMessage<typeof groupMemberValue>
export type CurrentAssignmentValue = DecodedMessage<typeof currentAssignmentValue>
export type RegularExpressionValue = DecodedMessage<typeof regularExpressionValue>
export type TargetAssignmentEpochValue = DecodedMessage<typeof targetAssignmentEpochValue>
export type TargetAssignmentMemberValue = DecodedMessage<typeof targetAssignmentMemberValue>

interface OffsetRecord {
  readonly kind: 'offset'
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly value: OffsetValue | null
}

export interface ClassicGroupRecord {
  readonly kind: 'classic-group'
  readonly group: string
  readonly value: ClassicGroupValue | null
}

interface GroupEpochRecord {
  readonly kind: 'group-epoch'
  readonly group: string
  readonly value: GroupEpochValue | null
}

interface MemberRecord {
  readonly kind: 'member'
  readonly group: string
  readonly member: string
  readonly value: GroupMemberValue | null
}

interface TargetEpochRecord {
  readonly kind: 'target-epoch'
  readonly group: string
  readonly value: TargetAssignmentEpochValue | null
}

interface TargetMemberRecord {
  readonly kind: 'target-member'
  readonly group: string
  readonly member: string
  readonly value: TargetAssignmentMemberValue | null
}

interface CurrentAssignmentRecord {
  readonly kind: 'current-assignment'
  readonly group: string
  readonly member: string
  readonly value: CurrentAssignmentValue | null
}

interface RegularExpressionRecord {
  readonly kind: 'regular-expression'
  readonly group: string
  readonly expression: string
  readonly value: RegularExpressionValue | null
}

/** A record of a consumer group of the next-generation protocol. */
export type ConsumerGroupRecord =
  | GroupEpochRecord
  | MemberRecord
  | TargetEpochRecord
  | TargetMemberRecord
  | CurrentAssignmentRecord
  | RegularExpressionRecord

/** A change of a group's state, as it is written to `__consumer_offsets`; a null value deletes. */
export type GroupRecord = OffsetRecord | ClassicGroupRecord | ConsumerGroupRecord | ShareGroupRecord

/** Kafka's numbers of the kinds: the first two bytes of a key. */
const keyType = {
  offset: 1,
  'classic-group': 2,
  'group-epoch': 3,
  member: 5,
  'target-epoch': 6,
  'target-member': 7,
  'current-assignment': 8,
  'regular-expression': 16,
} as const satisfies Record<Exclude<GroupRecord, ShareGroupRecord>['kind'], number>

/** Kafka 4.1 still writes version 3 of classic groups, which older brokers can read. */
const classicGroupVersion = 3
/** Only version 1 can say when an offset expires, as OffsetCommit 2-4 may ask. */
const expiringOffsetVersion = 1
const offsetVersion = 4

export function encodeRecord(record: GroupRecord): StateRecord {
  if (isShareGroupRecord(record)) {
    return { key: encodeShareKey(record), value: encodeShareValue(record) }
  }
  return { key: encodeKey(record), value: encodeValue(record) }
}

type OtherRecord = Exclude<GroupRecord, ShareGroupRecord>

function encodeKey(record: OtherRecord): Buffer {
  const writer = new Writer()
  writer.int16(keyType[record.kind])
  const { group } = record
  switch (record.kind) {
    case 'offset':
      offsetKey.write(writer, { group, topic: record.topic, partition: record.partition }, 0)
      break
    case 'classic-group':
      classicGroupKey.write(writer, { group }, 0)
      break
    case 'group-epoch':
      groupEpochKey.write(writer, { groupId: group }, 0)
      break
    case 'member':
      groupMemberKey.write(writer, { groupId: group, memberId: record.member }, 0)
      break
    case 'target-epoch':
      targetAssignmentEpochKey.write(writer, { groupId: group }, 0)
      break
    case 'target-member':
      targetAssignmentMemberKey.write(writer, { groupId: group, memberId: record.member }, 0)
      break
    case 'current-assignment':
      currentAssignmentKey.write(writer, { groupId: group, memberId: record.member }, 0)
      break
    case 'regular-expression':
      regularExpressionKey.write(
        writer,
        { groupId: group, regularExpression: record.expression },
        0,
      )
  }
  return writer.toBuffer()
}

function encodeValue(record: OtherRecord): Buffer | null {
  if (record.value === null) return null
  switch (record.kind) {
    case 'offset': {
      const expires = record.value.expireTimestamp !== -1
      return versioned(expires ? expiringOffsetVersion : offsetVersion, (writer, version) =>
        offsetValue.write(writer, record.value as OffsetValue, version),
      )
    }
    case 'classic-group': {
      const { value } = record
      return versioned(classicGroupVersion, (writer, version) =>
        classicGroupValue.write(writer, value, version),
      )
    }
    default:
      return versioned(0, (writer) => writeConsumerGroupValue(writer, record))
  }
}

function writeConsumerGroupValue(writer: Writer, record: ConsumerGroupRecord): void {
  if (record.value === null) return
  switch (record.kind) {
    case 'group-epoch': {
      groupEpochValue.write(writer, record.value, 0)
      return
    }
    case 'member': {
      groupMemberValue.write(writer, record.value, 0)
      return
    }
    case 'target-epoch': {
      targetAssignmentEpochValue.write(writer, record.value, 0)
      return
    }
    case 'target-member': {
      targetAssignmentMemberValue.write(writer, record.value, 0)
      return
    }
    case 'current-assignment': {
      currentAssignmentValue.write(writer, record.value, 0)
      return
    }
    case 'regular-expression': {
      regularExpressionValue.write(writer, record.value, 0)
      return
    }
  }
}

function versioned(version: number, write: (writer: Writer, version: number) => void): Buffer {
  const writer = new Writer()
  writer.int16(version)
  write(writer, version)
  return writer.toBuffer()
}

/** Answers undefined for kinds that belong to features that this broker does not have. */
export function decodeRecord(record: StateRecord): GroupRecord | undefined {
  const key = new Reader(record.key)
  const type = key.int16()
  switch (type) {
    case 0:
    case keyType.offset: {
      const { group, topic, partition } = offsetKey.read(key, 0)
      return {
        kind: 'offset',
        group,
        topic,
        partition,
        value: decodeValue(offsetValue, record.value),
      }
    }
    case keyType['classic-group']: {
      const { group } = classicGroupKey.read(key, 0)
      return { kind: 'classic-group', group, value: decodeValue(classicGroupValue, record.value) }
    }
    default:
      return (
        decodeConsumerGroupRecord(type, key, record.value) ??
        decodeShareRecord(type, key, record.value)
      )
  }
}

function decodeConsumerGroupRecord(
  type: number,
  key: Reader,
  value: Buffer | null,
): ConsumerGroupRecord | undefined {
  switch (type) {
    case keyType['group-epoch']: {
      const { groupId: group } = groupEpochKey.read(key, 0)
      return { kind: 'group-epoch', group, value: decodeValue(groupEpochValue, value) }
    }
    case keyType.member: {
      const { groupId: group, memberId: member } = groupMemberKey.read(key, 0)
      return { kind: 'member', group, member, value: decodeValue(groupMemberValue, value) }
    }
    case keyType['target-epoch']: {
      const { groupId: group } = targetAssignmentEpochKey.read(key, 0)
      return { kind: 'target-epoch', group, value: decodeValue(targetAssignmentEpochValue, value) }
    }
    case keyType['target-member']: {
      const { groupId: group, memberId: member } = targetAssignmentMemberKey.read(key, 0)
      const decoded = decodeValue(targetAssignmentMemberValue, value)
      return { kind: 'target-member', group, member, value: decoded }
    }
    case keyType['current-assignment']: {
      const { groupId: group, memberId: member } = currentAssignmentKey.read(key, 0)
      const decoded = decodeValue(currentAssignmentValue, value)
      return { kind: 'current-assignment', group, member, value: decoded }
    }
    case keyType['regular-expression']: {
      const { groupId: group, regularExpression } = regularExpressionKey.read(key, 0)
      const decoded = decodeValue(regularExpressionValue, value)
      return { kind: 'regular-expression', group, expression: regularExpression, value: decoded }
    }
    default:
      return undefined
  }
}

function decodeValue<Value>(
  message: { read(reader: Reader, version: number): Value },
  bytes: Buffer | null,
): Value | null {
  if (bytes === null) return null
  const reader = new Reader(bytes)
  const version = reader.int16()
  return message.read(reader, version)
}
