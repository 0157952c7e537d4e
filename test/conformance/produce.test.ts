import { expect } from 'vitest'
import { produceApi } from '../../src/protocol/index.ts'
import { makeBatch } from './batch.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import {
  fetch,
  idempotentProducer,
  listOffset,
  latestTimestamp,
  produce,
  valuesOf,
} from './steps.ts'

/** Attributes of a control batch, and of compression codecs. */
const controlAttributes = 0x20
const zstdAttributes = 4
const unknownCodecAttributes = 6

conformance('produce', {
  'offsets are given in order of arrival': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const records = [{ value: 'a' }, { value: 'b' }, { value: 'c' }]
    expect((await produce(leader, topic, { records })).baseOffset).toBe(0)
    const second = await produce(leader, topic, { records })
    expect(second.baseOffset).toBe(3)
    expect(second.logStartOffset).toBe(0)
    expect(await valuesOf(leader, topic)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  },

  'acks 1 and -1 are answered, 2 is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    for (const acks of [1, -1]) {
      expectError((await produce(leader, topic, {}, { acks })).errorCode, 'NONE')
    }
    const refused = await produce(leader, topic, {}, { acks: 2 })
    expectError(refused.errorCode, 'INVALID_REQUIRED_ACKS')
  },

  'acks 0 has no answer, and the next request on the connection has its own': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    leader.send(produceApi, 9, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: topic.name, partitionData: [{ index: 0, records: [makeBatch()] }] }],
    })
    await port.eventually('the record is there', async () => {
      const { offset } = await listOffset(leader, topic, latestTimestamp)
      return offset === 1 ? true : undefined
    })
  },

  'acks 0 with an error closes the connection': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    leader.send(produceApi, 9, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 1000,
      topicData: [
        {
          name: topic.name,
          partitionData: [{ index: 0, records: [makeBatch({ damagedChecksum: true })] }],
        },
      ],
    })
    await leader.closed
  },

  'a topic that is missing is unknown': async (port) => {
    const client = await port.any()
    const produced = await produce(client, { name: port.name('missing'), id: '' }, {})
    expectError(produced.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'a partition that is missing is unknown': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, {}, { partition: 7 })
    expectError(produced.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'a wrong checksum is CORRUPT_MESSAGE': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { damagedChecksum: true })
    expectError(produced.errorCode, 'CORRUPT_MESSAGE')
  },

  'a count that is not the last offset delta plus 1 is INVALID_RECORD': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const records = [{ value: 'a' }, { value: 'b' }]
    const produced = await produce(leader, topic, { records, lastOffsetDelta: 5 })
    expectError(produced.errorCode, 'INVALID_RECORD')
  },

  'a batch without records is INVALID_RECORD': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { records: [], count: 0, lastOffsetDelta: -1 })
    expectError(produced.errorCode, 'INVALID_RECORD')
  },

  'a control batch from a client is INVALID_RECORD': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const producer = await idempotentProducer(port)
    const batch = { ...producer, baseSequence: 0, attributes: controlAttributes }
    expectError((await produce(leader, topic, batch)).errorCode, 'INVALID_RECORD')
  },

  'two batches for one partition are refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const two = Buffer.concat([makeBatch(), makeBatch()])
    expectError((await produce(leader, topic, two)).errorCode, 'INVALID_RECORD')
  },

  'a base offset other than 0 is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    expectError((await produce(leader, topic, { baseOffset: 5 })).errorCode, 'INVALID_RECORD')
  },

  'an old magic is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    expectError((await produce(leader, topic, { magic: 1 })).errorCode, 'INVALID_RECORD')
  },

  'a batch above max.message.bytes is MESSAGE_TOO_LARGE, one at the limit is stored': async (
    port,
  ) => {
    const batch = makeBatch({ records: [{ value: 'x'.repeat(500) }] })
    const fitting = await port.topic({ configs: { 'max.message.bytes': String(batch.length) } })
    const tight = await port.topic({ configs: { 'max.message.bytes': String(batch.length - 1) } })
    const stored = await produce(await port.leader(fitting.name), fitting, batch)
    expectError(stored.errorCode, 'NONE')
    const refused = await produce(await port.leader(tight.name), tight, batch)
    expectError(refused.errorCode, 'MESSAGE_TOO_LARGE')
  },

  'the size limit counts compressed bytes': async (port) => {
    const topic = await port.topic({ configs: { 'max.message.bytes': '500' } })
    const leader = await port.leader(topic.name)
    const records = [{ key: 'key', value: 'x'.repeat(5000) }]
    expectError((await produce(leader, topic, { records, gzip: true })).errorCode, 'NONE')
    expectError((await produce(leader, topic, { records })).errorCode, 'MESSAGE_TOO_LARGE')
  },

  'a keyless record on a compacted topic is INVALID_RECORD, with the record named': async (
    port,
  ) => {
    const topic = await port.topic({ configs: { 'cleanup.policy': 'compact' } })
    const leader = await port.leader(topic.name)
    const records = [
      { key: 'key', value: 'a' },
      { key: null, value: 'b' },
    ]
    for (const gzip of [false, true]) {
      const produced = await produce(leader, topic, { records, gzip })
      expectError(produced.errorCode, 'INVALID_RECORD')
      expect(produced.recordErrors).toHaveLength(1)
      expect(produced.recordErrors[0]?.batchIndex).toBe(1)
      expect(produced.baseOffset).toBe(-1)
    }
    expect(await valuesOf(leader, topic)).toEqual([])
  },

  'zstd needs Produce 7': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const batch = makeBatch({ attributes: zstdAttributes })
    const produced = await produce(leader, topic, batch, { version: 6 })
    expectError(produced.errorCode, 'UNSUPPORTED_COMPRESSION_TYPE')
  },

  'a codec that does not exist is refused': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const produced = await produce(leader, topic, { attributes: unknownCodecAttributes })
    expect(produced.errorCode).not.toBe(0)
  },

  'a compressed batch is stored as it came': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const records = [{ value: 'x'.repeat(100) }, { value: 'y'.repeat(100) }]
    const batch = makeBatch({ records, gzip: true })
    await produce(leader, topic, batch)
    const { batches } = await fetch(leader, topic, 0)
    expect(batches[0]?.bytes).toBe(batch.length)
    expect(batches[0]?.values).toEqual(records.map((record) => record.value))
  },

  'the leader epoch is written into the batch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    expect((await fetch(leader, topic, 0)).batches[0]?.leaderEpoch).toBe(0)
  },

  'one bad partition does not spoil the others of a request': async (port) => {
    const topic = await port.topic({ partitions: 1 })
    const leader = await port.leader(topic.name)
    const response = await leader.request(produceApi, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        {
          name: topic.name,
          partitionData: [
            { index: 0, records: [makeBatch()] },
            { index: 9, records: [makeBatch()] },
          ],
        },
      ],
    })
    const partitions = response.responses.flatMap((one) => one.partitionResponses)
    const errorOf = (index: number) => partitions.find((one) => one.index === index)?.errorCode
    expectError(errorOf(0), 'NONE')
    expectError(errorOf(9), 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'min.insync.replicas above the number of replicas counts as that number': async (port) => {
    const topic = await port.topic({ configs: { 'min.insync.replicas': '9' } })
    const leader = await port.leader(topic.name)
    expectError((await produce(leader, topic, {})).errorCode, 'NONE')
  },

  'Produce 13 names the topic by its id': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    expectError((await produce(leader, topic, {}, { version: 13 })).errorCode, 'NONE')
    const unknown = { ...topic, id: 'AAAAAAAAAAAAAAAAAAAA-A' }
    const refused = await produce(leader, unknown, {}, { version: 13 })
    expectError(refused.errorCode, 'UNKNOWN_TOPIC_ID')
  },
})
