import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareCompression } from '../compression/index.ts'
import type { Compression } from '../compression/index.ts'
import {
  anyOptions,
  anyRecords,
  build,
  bytesMax,
  changed,
  failure,
  show,
  showAll,
  simple,
  time,
} from './fixture/batch-samples.ts'
import { RecordBatch } from './index.ts'
import type { RecordBatchOptions } from './index.ts'

beforeAll(async () => {
  await prepareCompression('zstd')
})

describe('a batch', () => {
  it('gives back what was put into it, in every form', () => {
    fc.assert(
      fc.property(anyRecords, anyOptions, (records, options) => {
        const bytes = build(records, options)
        const batch = RecordBatch.at(bytes)
        expect(batch.isCrcValid()).toBe(true)
        expect(batch.sizeInBytes).toBe(bytes.length)
        expect(batch.recordCount).toBe(records.length)
        expect(batch.maxTimestamp).toBe(Math.max(...records.map((record) => record.timestamp)))
        for (const name of Object.keys(options) as (keyof RecordBatchOptions &
          keyof RecordBatch)[]) {
          expect(batch[name]).toBe(options[name])
        }
        expect(showAll(batch)).toEqual(records.map(show))
      }),
      { seed: 5, numRuns: 80 },
    )
  })

  it('lies anywhere in a buffer, and its fields are written there', () => {
    const bytes = simple(3)
    const buffer = Buffer.concat([Buffer.alloc(13, 1), bytes, Buffer.alloc(9, 2)])
    const batch = RecordBatch.at(buffer, 13)
    batch.setBaseOffset(2 ** 40)
    batch.setPartitionLeaderEpoch(9)
    expect(batch.isCrcValid()).toBe(true)
    expect(batch.bytes.equals(buffer.subarray(13, 13 + bytes.length))).toBe(true)
    expect([...batch.records(0)].map((record) => record.offset - 2 ** 40)).toEqual([0, 1, 2])
    batch.setLogAppendTime(time * 2)
    batch.setProducer(77, 1, 5)
    const again = RecordBatch.at(buffer, 13)
    expect(again.isCrcValid()).toBe(true)
    expect([...again.records(0)].map((record) => record.timestamp)).toEqual(Array(3).fill(time * 2))
    expect([again.producerId, again.producerEpoch, again.lastSequence]).toEqual([77, 1, 7])
    expect([...buffer.subarray(0, 13)]).toEqual(Array(13).fill(1))
    expect([...buffer.subarray(-9)]).toEqual(Array(9).fill(2))
  })

  it('shares its bytes with its records when it is not compressed', () => {
    const bytes = simple(1)
    const record = RecordBatch.at(bytes).records(0).next()
    expect(record?.value?.buffer).toBe(bytes.buffer)
    expect(record?.key?.toString()).toBe('key-0')
    expect([record?.keySize, record?.valueSize, record?.sizeInBytes]).toEqual([5, 7, 14])
  })

  it('is summed over everything but base offset and leader epoch', () => {
    const bytes = simple(2)
    for (let position = 0; position < bytes.length; position++) {
      const isFree = position < 8 || (position >= 12 && position < 16)
      if ((position >= 8 && position < 12) || position === 16) continue
      const copy = Buffer.from(bytes)
      copy[position] = (copy[position] ?? 0) ^ 0x10
      if (position < 8) copy.writeUInt16BE(0, 0)
      const valid = RecordBatch.unchecked(copy).isCrcValid()
      expect([position, valid]).toEqual([position, isFree])
    }
  })

  it('is refused where its header cannot be worked with', () => {
    const bytes = simple(2)
    const at = (...change: [number, ...number[]]): string =>
      failure(() => RecordBatch.at(changed(bytes, ...change)))
    expect(failure(() => RecordBatch.at(bytes.subarray(0, -1)))).toMatch('cut off')
    expect(failure(() => RecordBatch.at(bytes.subarray(0, 16)))).toMatch('cut off')
    expect(at(16, 1)).toMatch('MILLRACE_PROTOCOL_UNSUPPORTED')
    expect(at(8, 0, 0, 0, 48)).toMatch('has 60 bytes')
    expect(at(8, 255, 0, 0, 0)).toMatch('bytes')
    expect(at(0, 0x80)).toMatch('base offset')
    expect(at(0, 0x00, 0x20)).toMatch('base offset')
    expect(at(23, 0xff)).toMatch('ends')
    expect(at(57, 0xff)).toMatch('records')
    expect(at(57, 0, 0, 0, 3)).toMatch('3 records')
    expect(at(43, 0x40)).toMatch('producer id')
    expect(at(23, 0, 0, 0, 9)).toBe('none')
  })

  it('is refused where its records are not what it says', () => {
    const read = (bytes: Buffer): string =>
      failure(() => [...RecordBatch.at(bytes).records(bytesMax)])
    const bytes = simple(2) // each record: length, attributes, two deltas, 1 + 5, 1 + 7, 0
    expect(bytes.length).toBe(61 + 2 * 19)
    expect(read(changed(bytes, 61, 35 * 2))).toMatch('bytes are left behind it') // into the second
    expect(read(changed(bytes, 61, 2 * 50))).toMatch('it has 50 bytes')
    expect(read(changed(bytes, 61, 1))).toMatch('it has -1 bytes')
    expect(read(changed(bytes, 64, 2))).toMatch('offset delta 1 is not above 1')
    expect(read(changed(bytes, 64, 4))).toMatch('offset delta 2 is not above -1, up to 1')
    expect(read(changed(bytes, 64, 1))).toMatch('offset delta -1')
    expect(read(changed(bytes, 65, 3))).toMatch('-2 bytes')
    expect(read(changed(bytes, 65, 2 * 30))).toMatch('30 bytes')
    expect(read(changed(bytes, 79, 2))).toMatch('none')
    expect(read(changed(bytes, 57, 0, 0, 0, 1))).toMatch('bytes are left behind its records')
    expect(read(changed(bytes, 57, 0, 0, 0, 0))).toMatch('bytes are left behind its records')
    expect(read(changed(bytes, 22, 7))).toMatch('MILLRACE_PROTOCOL_UNSUPPORTED')
    expect(read(changed(bytes, 22, 1))).toMatch('gzip')
    const many = changed(bytes, 23, 0x7f, 0xff, 0xff, 0xfe)
    expect(read(changed(many, 57, 0x7f, 0xff, 0xff, 0xff))).toMatch(
      '2147483647 records in 38 bytes',
    )
  })

  it('reads numbers of up to 5 and 10 bytes, and no more', () => {
    const record = (...delta: number[]): Buffer => {
      const body = Buffer.from([0, ...delta, 0, 1, 1, 0])
      const batch = Buffer.concat([simple(1).subarray(0, 61), Buffer.from([body.length * 2]), body])
      batch.writeInt32BE(batch.length - 12, 8)
      batch.fill(0, 27, 35)
      return changed(batch, 57, 0, 0, 0, 1)
    }
    const timestamp = (bytes: Buffer): number =>
      RecordBatch.at(bytes).records(0).next()?.timestamp ?? 0
    const all = Array<number>(9).fill(0xff)
    expect(timestamp(record(0x80, 0x80, 0x00))).toBe(0)
    expect(timestamp(record(0xfe, 0xff, 0xff, 0xff, 0x0f))).toBe(2 ** 31 - 1)
    expect(timestamp(record(0xff, 0xff, 0xff, 0xff, 0x1f))).toBe(-(2 ** 32))
    expect(timestamp(record(...all, 0x01))).toBe(Number.MIN_SAFE_INTEGER)
    expect(timestamp(record(0xfe, ...all.slice(1), 0x01))).toBe(Number.MAX_SAFE_INTEGER)
    expect(failure(() => timestamp(record(...all, 0x02)))).toMatch('more than 64 bits')
    expect(failure(() => timestamp(record(...all, 0x81)))).toMatch('more than 64 bits')
    const offsets = (...delta: number[]): string => {
      const bytes = record(0, ...delta)
      return failure(() => RecordBatch.at(bytes).records(0).next())
    }
    expect(offsets(0x80, 0x80, 0x80, 0x80, 0x10)).toMatch('more than 32 bits')
    expect(offsets(0x80, 0x80, 0x80, 0x80, 0x80)).toMatch('more than 32 bits')
  })

  it('does not decompress beyond the limit', () => {
    const bomb = (codec: Compression): Buffer =>
      build([{ key: null, value: Buffer.alloc(4 * bytesMax), timestamp: 0 }], {
        compression: codec,
      })
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const outcome = failure(() => RecordBatch.at(bomb(codec)).records(bytesMax))
      expect(outcome).toMatch('MILLRACE_PROTOCOL_TOO_LARGE')
    }
  })
})
