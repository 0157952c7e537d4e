import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord } from './group-record.ts'
import type { GroupRecord } from './group-record.ts'

const topicId = Buffer.alloc(16, 7).toString('base64url')
const partitions = [{ topicId, partitions: [1, 2] }]

const offset = {
  offset: 42,
  leaderEpoch: 3,
  metadata: 'mine',
  commitTimestamp: 1_700_000_000_000,
  expireTimestamp: -1,
  topicId,
}

const records: readonly GroupRecord[] = [
  { kind: 'offset', group: 'g', topic: 't', partition: 5, value: offset },
  {
    kind: 'classic-group',
    group: 'g',
    value: {
      protocolType: 'consumer',
      generation: 2,
      protocol: 'range',
      leader: 'm',
      currentStateTimestamp: 9,
      members: [
        {
          memberId: 'm',
          groupInstanceId: 'i',
          clientId: 'c',
          clientHost: '/h',
          rebalanceTimeout: 1,
          sessionTimeout: 2,
          subscription: Buffer.from('s'),
          assignment: Buffer.from('a'),
        },
      ],
    },
  },
  { kind: 'group-epoch', group: 'g', value: { epoch: 7, metadataHash: 2 ** 47 } },
  {
    kind: 'member',
    group: 'g',
    member: 'm',
    value: {
      instanceId: null,
      rackId: 'r',
      clientId: 'c',
      clientHost: '/h',
      subscribedTopicNames: ['t'],
      subscribedTopicRegex: 'a.*',
      rebalanceTimeoutMs: 5,
      serverAssignor: 'range',
      classicMemberMetadata: {
        sessionTimeoutMs: 6,
        supportedProtocols: [{ name: 'range', metadata: Buffer.from('x') }],
      },
    },
  },
  { kind: 'target-epoch', group: 'g', value: { assignmentEpoch: 7 } },
  { kind: 'target-member', group: 'g', member: 'm', value: { topicPartitions: partitions } },
  {
    kind: 'current-assignment',
    group: 'g',
    member: 'm',
    value: {
      memberEpoch: 7,
      previousMemberEpoch: 6,
      state: 1,
      assignedPartitions: partitions,
      partitionsPendingRevocation: [],
    },
  },
  {
    kind: 'regular-expression',
    group: 'g',
    expression: 'a.*',
    value: { topics: ['a1'], version: 3, timestamp: 4 },
  },
]

describe('a record of a group', () => {
  it.each(records.map((record) => [record.kind, record] as const))(
    'of kind %s is read as it was written, and so is its tombstone',
    (_, record) => {
      expect(decodeRecord(encodeRecord(record))).toEqual(record)
      const tombstone: GroupRecord = { ...record, value: null }
      expect(encodeRecord(tombstone).value).toBeNull()
      expect(decodeRecord(encodeRecord(tombstone))).toEqual(tombstone)
    },
  )

  it('has the form in which Kafka 4.1 writes it', () => {
    const [first, classic] = records as [GroupRecord, GroupRecord]
    const { key, value } = encodeRecord(first)
    expect(key.toString('hex')).toBe('0001' + '0001' + '67' + '0001' + '74' + '00000005')
    expect(value?.toString('hex')).toBe(
      '0004' +
        '000000000000002a' +
        '00000003' +
        '05' +
        '6d696e65' +
        '0000018bcfe56800' +
        '01' +
        '00' +
        '10' +
        '07'.repeat(16),
    )
    expect(encodeRecord(classic).value?.readInt16BE()).toBe(3)
    expect(encodeRecord(classic).key.toString('hex')).toBe('0002' + '0001' + '67')
    const keyTypes = records.map((record) => encodeRecord(record).key.readInt16BE())
    expect(keyTypes).toEqual([1, 2, 3, 5, 6, 7, 8, 16])
  })

  it('of an offset with a time to expire is written in the version that can say so', () => {
    const expiring: GroupRecord = {
      kind: 'offset',
      group: 'g',
      topic: 't',
      partition: 0,
      value: { ...offset, leaderEpoch: -1, topicId: 'A'.repeat(22), expireTimestamp: 77 },
    }
    const encoded = encodeRecord(expiring)
    expect(encoded.value?.readInt16BE()).toBe(1)
    expect(decodeRecord(encoded)).toEqual(expiring)
  })

  it('of a kind that is not known is passed over', () => {
    const key = Buffer.from('0011000167', 'hex')
    expect(decodeRecord({ key, value: null })).toBeUndefined()
  })
})
