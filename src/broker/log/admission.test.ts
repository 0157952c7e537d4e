import { describe, expect, it } from 'vitest'
import { compressions, prepareCompression } from '../../protocol/compression/index.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import {
  appended,
  batchOf,
  errorOf,
  memoryLog,
  readAll,
  recordsIn,
  startMs,
} from './log-fixture.ts'

const hourMs = 3_600_000

/** The batch after a change, with a CRC that is right again. */
function sealed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const changed = Buffer.from(batch)
  change(changed)
  const view = RecordBatch.unchecked(changed)
  view.setProducer(view.producerId, view.producerEpoch, view.baseSequence)
  return changed
}

describe('the form of a produced batch', () => {
  const good = batchOf(['one', 'two'])
  const cases: [string, string, Buffer][] = [
    ['nothing', 'INVALID_RECORD', Buffer.alloc(0)],
    ['too little', 'INVALID_RECORD', good.subarray(0, 50)],
    ['a batch that is cut', 'INVALID_RECORD', good.subarray(0, -1)],
    ['two batches', 'INVALID_RECORD', Buffer.concat([good, good])],
    ['magic 1', 'INVALID_RECORD', sealed(good, (batch) => batch.writeInt8(1, 16))],
    ['a changed byte', 'CORRUPT_MESSAGE', Buffer.from(good).fill(9, 70, 71)],
    ['a base offset', 'INVALID_RECORD', sealed(good, (batch) => batch.writeInt32BE(1, 4))],
    ['a wrong count', 'INVALID_RECORD', sealed(good, (batch) => batch.writeInt32BE(3, 57))],
    ['no records', 'INVALID_RECORD', sealed(good, (batch) => batch.writeInt32BE(0, 57))],
    ['the control bit', 'INVALID_RECORD', batchOf(['x'], { isControl: true })],
    [
      'a producer without sequence',
      'INVALID_RECORD',
      batchOf(['x'], { producerId: 1, producerEpoch: 0 }),
    ],
    ['a transaction of nobody', 'INVALID_RECORD', batchOf(['x'], { isTransactional: true })],
    [
      'an unknown codec',
      'UNSUPPORTED_COMPRESSION_TYPE',
      sealed(good, (batch) => batch.writeInt16BE(6, 21)),
    ],
    [
      'the time of an append',
      'INVALID_TIMESTAMP',
      sealed(good, (batch) => batch.writeInt16BE(8, 21)),
    ],
  ]

  it.each(cases)('with %s is %s', async (_, error, records) => {
    const { log } = await memoryLog()
    expect(errorOf(log.append(Buffer.from(records)))).toBe(error)
    expect(log.logEndOffset).toBe(0)
  })

  it('is stored as it came, but for offset and leader epoch', async () => {
    const { log } = await memoryLog()
    log.append(batchOf(['zero']))
    const records = batchOf(['one', 'two'], { compression: 'gzip' })
    const sent = Buffer.from(records)
    const result = appended(log.append(records, { leaderEpoch: 4 }))
    expect(result).toMatchObject({ baseOffset: 1, lastOffset: 2, logAppendTime: -1 })
    const stored = readAll(log)[1] as RecordBatch
    expect(stored).toMatchObject({ baseOffset: 1, partitionLeaderEpoch: 4 })
    expect(stored.bytes.subarray(16).equals(sent.subarray(16))).toBe(true)
  })
})

describe('sizes', () => {
  it('may not pass max.message.bytes, which counts compressed', async () => {
    const { log, config } = await memoryLog({ maxMessageBytes: 500 })
    expect(errorOf(log.append(batchOf(['x'.repeat(1000)])))).toBe('MESSAGE_TOO_LARGE')
    expect(errorOf(log.append(batchOf(['x'.repeat(1000)], { compression: 'gzip' })))).toBe('NONE')
    config.maxMessageBytes = 2000
    expect(errorOf(log.append(batchOf(['x'.repeat(1000)])))).toBe('NONE')
  })

  it('may not pass segment.bytes', async () => {
    const { log } = await memoryLog({ segmentBytes: 500 })
    expect(errorOf(log.append(batchOf(['x'.repeat(1000)])))).toBe('RECORD_LIST_TOO_LARGE')
  })

  it('are asked only of what is new: a duplicate was admitted before', async () => {
    const { log, config } = await memoryLog()
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
    log.append(batchOf(['x'.repeat(1000)], producer))
    config.maxMessageBytes = 100
    const again = appended(log.append(batchOf(['x'.repeat(1000)], producer)))
    expect(again).toMatchObject({ baseOffset: 0, lastOffset: 0 })
    expect(log.logEndOffset).toBe(1)
  })
})

describe('keys', () => {
  it('are needed on a compacted topic, and each record without one is named', async () => {
    const { log } = await memoryLog({ compacted: true })
    const batch = batchOf(['a', { key: null }, 'b', { key: null }], { compression: 'lz4' })
    const refusal = log.append(batch)
    expect(refusal).toMatchObject({
      error: 'INVALID_RECORD',
      recordErrors: [
        { batchIndex: 1, batchIndexErrorMessage: expect.any(String) as string },
        { batchIndex: 3, batchIndexErrorMessage: expect.any(String) as string },
      ],
    })
    expect(errorOf(log.append(batchOf(['a', { key: Buffer.alloc(0) }])))).toBe('NONE')
  })

  it('are not looked at on another topic', async () => {
    const { log } = await memoryLog()
    expect(errorOf(log.append(batchOf([{ key: null }])))).toBe('NONE')
  })
})

describe('timestamps of producers', () => {
  it('must not lie further ahead than allowed', async () => {
    const { log, config } = await memoryLog()
    const ahead = batchOf([{ timestamp: startMs }, { timestamp: startMs + hourMs + 1 }])
    expect(log.append(Buffer.from(ahead))).toMatchObject({
      error: 'INVALID_TIMESTAMP',
      recordErrors: [{ batchIndex: 1 }],
    })
    config.timestampAfterMaxMs = 2 * hourMs
    expect(errorOf(log.append(ahead))).toBe('NONE')
  })

  it('must not lie further back than allowed, also behind a first one that does not', async () => {
    const { log } = await memoryLog({ timestampBeforeMaxMs: hourMs })
    const records = [{ timestamp: startMs }, { timestamp: startMs - hourMs - 1 }]
    expect(log.append(batchOf(records))).toMatchObject({
      error: 'INVALID_TIMESTAMP',
      recordErrors: [{ batchIndex: 1 }],
    })
    expect(errorOf(log.append(batchOf([{ timestamp: startMs - hourMs }])))).toBe('NONE')
  })

  it('may be missing', async () => {
    const { log } = await memoryLog({ timestampBeforeMaxMs: hourMs })
    expect(errorOf(log.append(batchOf([{ timestamp: -1 }])))).toBe('NONE')
  })

  it('are replaced by the time of the append where the topic says so', async () => {
    const { log, clock, config } = await memoryLog({ timestampType: 'LogAppendTime' })
    clock.nowMs = startMs + 5000
    const result = appended(log.append(batchOf([{ timestamp: 1 }, { timestamp: 2 }])))
    expect(result.logAppendTime).toBe(startMs + 5000)
    const [stored] = readAll(log) as [RecordBatch]
    expect(stored.isCrcValid()).toBe(true)
    const times = Array.from(stored.records(1000), (record) => record.timestamp)
    expect(times).toEqual([startMs + 5000, startMs + 5000])
    config.timestampType = 'CreateTime'
    expect(appended(log.append(batchOf([{ timestamp: startMs }]))).logAppendTime).toBe(-1)
  })

  it('of a duplicate are answered as the first time', async () => {
    const { log, clock } = await memoryLog({ timestampType: 'LogAppendTime' })
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
    log.append(batchOf(['x'], producer))
    clock.nowMs += 1000
    const again = appended(log.append(batchOf(['x'], producer)))
    expect(again).toMatchObject({ baseOffset: 0, logAppendTime: startMs })
  })
})

describe('compression.type', () => {
  it.each(compressions)('makes batches of any codec %s', async (wanted) => {
    for (const codec of compressions) {
      await prepareCompression(codec)
      await prepareCompression(wanted)
      const compressionType = wanted === 'none' ? 'uncompressed' : wanted
      const { log } = await memoryLog({ compressionType })
      const producer = { producerId: 5, producerEpoch: 1, baseSequence: 0, isTransactional: true }
      log.append(batchOf(['one', 'two', 'three'], { compression: codec, ...producer }))
      const [stored] = readAll(log) as [RecordBatch]
      expect(stored).toMatchObject({ compression: wanted, ...producer, recordCount: 3 })
      expect(stored.isCrcValid()).toBe(true)
      expect(recordsIn([stored]).map(({ value }) => value)).toEqual(['one', 'two', 'three'])
    }
  })

  it('refuses records that cannot be decompressed', async () => {
    const { log } = await memoryLog({ compressionType: 'uncompressed' })
    const batch = sealed(batchOf(['x'.repeat(100)], { compression: 'gzip' }), (bytes) =>
      bytes.fill(0, 61, 70),
    )
    expect(errorOf(log.append(batch))).toBe('INVALID_RECORD')
  })
})
