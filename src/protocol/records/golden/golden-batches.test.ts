import { beforeAll, describe, expect, it } from 'vitest'
import { prepareCompression } from '../../compression/index.ts'
import type { Compression } from '../../compression/index.ts'
import {
  RecordBatch,
  RecordBatchBuilder,
  buildControlBatch,
  checkProducedBatch,
  emptyBatch,
  readControlRecord,
  retainRecords,
} from '../index.ts'
import type { RecordInput } from '../index.ts'
import { goldenBatches } from './golden-batches.ts'

// What Kafka's classes wrote is read as it was meant, and written by us byte for byte the same.

type GoldenName = keyof typeof goldenBatches

const time = 1_700_000_000_000
const bytesMax = 1 << 20

const records: RecordInput[] = [
  { timestamp: time, key: Buffer.from('key'), value: Buffer.from('value') },
  { timestamp: time - 1500, key: null, value: Buffer.from('no key, earlier') },
  { timestamp: time + 70, key: Buffer.from('tombstone'), value: null },
  { timestamp: time + 100_000_000_000, key: Buffer.alloc(0), value: Buffer.alloc(0) },
  {
    timestamp: time + 1,
    key: Buffer.from('with headers'),
    value: Buffer.from('v'),
    headers: [
      { key: 'event-type', value: Buffer.from('ORDER_CREATED') },
      { key: 'größe', value: Buffer.from('ü') },
      { key: 'empty', value: Buffer.alloc(0) },
      { key: 'null', value: null },
      { key: 'event-type', value: Buffer.from('the second') },
      { key: '', value: Buffer.from('no name') },
    ],
  },
  { timestamp: time + 2, key: null, value: null },
]

function golden(name: GoldenName): RecordBatch {
  return RecordBatch.at(Buffer.from(goldenBatches[name], 'base64'))
}

function readAll(batch: RecordBatch): RecordInput[] {
  return [...batch.records(bytesMax)].map(({ timestamp, key, value, headers }) => ({
    ...{ timestamp, key, value },
    ...(headers.length === 0 ? {} : { headers }),
  }))
}

function build(options: Parameters<RecordBatchBuilder['build']>[0]): Buffer {
  const builder = new RecordBatchBuilder()
  for (const record of records) builder.append(record)
  return builder.build({ baseOffset: 100, partitionLeaderEpoch: 7, ...options })
}

beforeAll(async () => {
  await prepareCompression('zstd')
})

describe('batches that Kafka wrote', () => {
  it.each(Object.keys(goldenBatches) as GoldenName[])(
    'have the CRC that we compute: %s',
    (name) => {
      expect(golden(name).isCrcValid()).toBe(true)
    },
  )

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('are read: %s', (codec) => {
    const batch = golden(`plain ${codec}`)
    expect(batch.compression).toBe(codec)
    expect([batch.baseOffset, batch.lastOffset, batch.nextOffset]).toEqual([100, 105, 106])
    expect([batch.partitionLeaderEpoch, batch.recordCount]).toEqual([7, 6])
    expect([batch.baseTimestamp, batch.maxTimestamp]).toEqual([time, time + 100_000_000_000])
    expect([batch.producerId, batch.producerEpoch, batch.baseSequence]).toEqual([-1, -1, -1])
    expect([...batch.records(bytesMax)].map((record) => record.offset)).toEqual([
      100, 101, 102, 103, 104, 105,
    ])
    expect(readAll(batch)).toEqual(records)
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('are read over many blocks: %s', (codec) => {
    let value = ''
    for (let index = 0; index < 3000; index++) value += `item ${index % 50},`
    const read = [...golden(`large ${codec}`).records(bytesMax)]
    expect(read.map((record) => record.key?.toString())).toEqual([
      'key-0',
      'key-1',
      'key-2',
      'key-3',
    ])
    expect(read.every((record) => record.value?.toString() === value)).toBe(true)
  })

  it('are read with the time at which they were appended', () => {
    const batch = golden('log append time')
    expect(batch.timestampType).toBe('LogAppendTime')
    expect(new Set([...batch.records(0)].map((record) => record.timestamp))).toEqual(
      new Set([time + 5]),
    )
  })

  it('are read with their producer', () => {
    const batch = golden('transactional')
    expect(batch.isTransactional).toBe(true)
    expect([batch.producerId, batch.producerEpoch]).toEqual([4000, 3])
    expect([batch.baseSequence, batch.lastSequence]).toEqual([2_147_483_646, 3])
  })

  it.each(['commit', 'abort'] as const)('are read as markers: %s', (type) => {
    const batch = golden(type)
    const [record] = [...batch.records(0)]
    expect([batch.isControl, batch.isTransactional, batch.recordCount]).toEqual([true, true, 1])
    expect(record && readControlRecord(record)).toEqual({ type, coordinatorEpoch: 12 })
  })

  it('are read with a delete horizon, and without records', () => {
    const compacted = golden('delete horizon')
    expect(compacted.deleteHorizonMs).toBe(time + 86_400_000)
    const read = [...compacted.records(0)].map((record) => [record.offset, record.timestamp])
    expect([compacted.lastOffset, read]).toEqual([
      109,
      [
        [102, time + 70],
        [104, time + 90],
      ],
    ])
    const empty = golden('empty')
    expect([empty.recordCount, empty.lastOffset, empty.lastSequence]).toEqual([0, 105, 22])
    expect([...empty.records(0)]).toEqual([])
  })

  it('are read where timestamps pass 2^53, with the nearest time that can be told', () => {
    const read = [...golden('extreme timestamps').records(0)].map((record) => record.timestamp)
    expect(read).toEqual([time, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0])
  })
})

describe('batches that we write', () => {
  it('are the bytes that Kafka writes', () => {
    expect(build({}).toString('base64')).toBe(goldenBatches['plain none'])
    const producer = { producerId: 4000, producerEpoch: 3, baseSequence: 2_147_483_646 }
    const transactional = build({ ...producer, isTransactional: true })
    expect(transactional.toString('base64')).toBe(goldenBatches.transactional)
  })

  it('are the bytes that Kafka writes when the broker sets offset, epoch and time', () => {
    const batch = RecordBatch.at(build({ baseOffset: 0, partitionLeaderEpoch: -1 }))
    batch.setBaseOffset(100)
    batch.setPartitionLeaderEpoch(7)
    batch.setLogAppendTime(time + 5)
    expect(batch.bytes.toString('base64')).toBe(goldenBatches['log append time'])
  })

  it('are the bytes that Kafka writes for another producer', () => {
    const batch = RecordBatch.at(build({ producerId: 1, producerEpoch: 0, isTransactional: true }))
    batch.setProducer(4000, 3, 2_147_483_646)
    expect(batch.bytes.toString('base64')).toBe(goldenBatches.transactional)
  })

  it.each(['commit', 'abort'] as const)('are the markers that Kafka writes: %s', (type) => {
    const marker = buildControlBatch({
      ...{ type, producerId: 4000, producerEpoch: 3, coordinatorEpoch: 12, timestamp: time },
      ...{ baseOffset: 55, partitionLeaderEpoch: 7 },
    })
    expect(marker.toString('base64')).toBe(goldenBatches[type])
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'are accepted: %s',
    (codec: Compression) => {
      const bytes = build({ baseOffset: 0, compression: codec })
      expect(checkProducedBatch(bytes, bytesMax).defect).toBeUndefined()
      expect(readAll(RecordBatch.at(bytes))).toEqual(records)
    },
  )

  it('are what Kafka writes when it compacts', () => {
    const builder = new RecordBatchBuilder()
    const names = ['a', 'b', 'tombstone', 'd', 'another', 'f', 'g', 'h', 'i', 'j']
    for (const [index, name] of names.entries()) {
      builder.append({
        timestamp: time + 50 + index * 10,
        key: Buffer.from(name),
        value: name === 'tombstone' ? null : Buffer.from('value'),
      })
    }
    const batch = RecordBatch.at(builder.build({ baseOffset: 100, partitionLeaderEpoch: 7 }))
    const retained = retainRecords(batch, {
      keep: (record) => (record.key?.length ?? 0) > 1,
      decompressedBytesMax: bytesMax,
      deleteHorizonMs: time + 86_400_000,
    })
    expect(retained?.toString('base64')).toBe(goldenBatches['delete horizon'])
  })

  it('are what Kafka leaves of a producer when all is compacted away', () => {
    const builder = new RecordBatchBuilder()
    for (let index = 0; index < 6; index++) {
      builder.append({ timestamp: time + 20 + index * 10, key: null, value: Buffer.from('gone') })
    }
    const options = { producerId: 4000, producerEpoch: 3, baseSequence: 17, isTransactional: true }
    const batch = builder.build({ ...options, baseOffset: 100, partitionLeaderEpoch: 7 })
    expect(emptyBatch(RecordBatch.at(batch)).toString('base64')).toBe(goldenBatches.empty)
  })
})
