import { beforeAll, describe, expect, it } from 'vitest'
import { compressions, prepareCompression } from '../compression/index.ts'
import { build, bytesMax, changed, simple, time } from './fixture/batch-samples.ts'
import { RecordBatch, checkProducedBatch, findRecordDefects } from './index.ts'
import type { RecordBatchOptions, RecordInput } from './index.ts'

beforeAll(async () => {
  await prepareCompression('zstd')
})

describe('checkProducedBatch', () => {
  const check = (bytes: Buffer | null, sizeMax = bytesMax): string => {
    const { batch, defect } = checkProducedBatch(bytes, sizeMax)
    return batch === undefined ? `${defect.rule} ${defect.error}` : `${batch.recordCount} records`
  }
  const good = simple(3, { producerId: 5, producerEpoch: 0, baseSequence: 0 })

  it('accepts what producers send', () => {
    expect(check(good, good.length)).toBe('3 records')
    expect(check(simple(1))).toBe('1 records')
    expect(check(simple(1, { compression: 'zstd' }))).toBe('1 records')
  })

  it.each([
    ['nothing', null, 'present INVALID_RECORD'],
    ['no bytes', Buffer.alloc(0), 'present INVALID_RECORD'],
    ['a few bytes', good.subarray(0, 30), 'length INVALID_RECORD'],
    ['a batch that is cut off', good.subarray(0, -1), 'length INVALID_RECORD'],
    ['two batches', Buffer.concat([good, good]), 'single INVALID_RECORD'],
    ['a declared size below a header', changed(good, 8, 0, 0, 0, 0), 'length CORRUPT_MESSAGE'],
    ['an old message set', changed(good, 16, 1), 'magic INVALID_RECORD'],
    ['a magic of the future', changed(good, 16, 3), 'magic CORRUPT_MESSAGE'],
    ['a flipped bit', Buffer.from(good).fill(1, 70, 71), 'crc CORRUPT_MESSAGE'],
    ['a base offset', changed(good, 7, 1), 'base-offset INVALID_RECORD'],
    ['fewer records than offsets', changed(good, 57, 0, 0, 0, 2), 'record-count INVALID_RECORD'],
    ['more records than offsets', changed(good, 57, 0, 0, 0, 4), 'record-count INVALID_RECORD'],
    [
      'no records',
      changed(changed(good, 57, 0, 0, 0, 0), 23, 255, 255, 255, 255),
      'record-count INVALID_RECORD',
    ],
    ['a marker', changed(good, 22, 0x30), 'data-only INVALID_RECORD'],
    ['a producer without sequence', changed(good, 53, 255), 'sequence INVALID_RECORD'],
    ['a producer without epoch', changed(good, 51, 255), 'producer INVALID_RECORD'],
    ['a producer id that is no number', changed(good, 43, 0x40), 'producer INVALID_RECORD'],
    ['a transaction without producer', changed(simple(1), 22, 0x10), 'producer INVALID_RECORD'],
    ['an unknown codec', changed(good, 22, 5), 'compression UNSUPPORTED_COMPRESSION_TYPE'],
    ["the broker's timestamp type", changed(good, 22, 8), 'timestamp-type INVALID_TIMESTAMP'],
  ])('refuses %s', (_, bytes, answer) => {
    expect(check(bytes)).toBe(answer)
  })

  it('refuses what is too large, as it is compressed', () => {
    expect(check(good, good.length - 1)).toBe('size MESSAGE_TOO_LARGE')
  })
})

describe('findRecordDefects', () => {
  const rules = {
    ...{ decompressedBytesMax: bytesMax, keysRequired: true },
    ...{ timestampMin: time, timestampMax: time + 10 },
  }
  const find = (records: RecordInput[], options: RecordBatchOptions = {}) =>
    findRecordDefects(RecordBatch.at(build(records, options)), rules)
  const key = Buffer.from('k')

  it.each(compressions)('names the records at fault: %s', (compression) => {
    const fine = { key, value: null, timestamp: time }
    const keyless = { key: null, value: key, timestamp: time }
    const late = { key, value: null, timestamp: time + 11 }
    const timeless = { key, value: null, timestamp: -1 }
    const options = { compression }
    expect(find([fine, timeless, fine], options)).toBeUndefined()
    const noKeys = find([fine, keyless, fine, keyless], options)
    expect([noKeys?.rule, noKeys?.error]).toEqual(['keys', 'INVALID_RECORD'])
    expect(noKeys?.records.map((record) => record.batchIndex)).toEqual([1, 3])
    // Java producers show these words, as Kafka says them.
    expect(noKeys?.records[0]?.message).toBe('Compacted topic cannot accept message without key')
    const both = find([fine, late, keyless], options)
    expect([both?.rule, both?.error]).toEqual(['timestamps', 'INVALID_TIMESTAMP'])
    expect(both?.records.map((record) => record.batchIndex)).toEqual([1, 2])
    expect(both?.records[0]?.message).toMatch(`timestamp ${time + 11} is not in`)
  })

  it('answers for records that cannot be read', () => {
    const broken = changed(simple(2), 64, 4)
    expect(findRecordDefects(RecordBatch.at(broken), rules)).toMatchObject({
      rule: 'records',
      error: 'INVALID_RECORD',
    })
    const bomb = RecordBatch.at(simple(200, { compression: 'lz4' }))
    const tight = { ...rules, decompressedBytesMax: 100 }
    expect(findRecordDefects(bomb, tight)).toMatchObject({
      rule: 'size',
      error: 'MESSAGE_TOO_LARGE',
    })
  })
})
