import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareCompression } from '../compression/index.ts'
import {
  anyOptions,
  anyRecords,
  build,
  bytesMax,
  show,
  showAll,
  simple,
  time,
} from './fixture/batch-samples.ts'
import { goldenBatches } from './golden/golden-batches.ts'
import { RecordBatch, emptyBatch, retainRecords } from './index.ts'

beforeAll(async () => {
  await prepareCompression('zstd')
})

describe('retainRecords', () => {
  it('keeps what is wanted, and everything that is known from the batch', () => {
    const horizon = fc.option(fc.integer({ min: time, max: time + 2 ** 40 }), { nil: undefined })
    fc.assert(
      fc.property(
        anyRecords,
        anyOptions,
        fc.nat(),
        horizon,
        (records, options, choice, horizonMs) => {
          const batch = RecordBatch.at(build(records, options))
          const isKept = (index: number): boolean => ((choice >> (index % 20)) & 1) === 1
          const retained = retainRecords(batch, {
            keep: (record) => isKept(record.offset - batch.baseOffset),
            decompressedBytesMax: bytesMax,
            ...(horizonMs === undefined ? {} : { deleteHorizonMs: horizonMs }),
          })
          const kept = records.filter((_, index) => isKept(index))
          expect(retained === undefined).toBe(kept.length === 0)
          if (retained === undefined) return
          const result = RecordBatch.at(retained)
          expect(result.isCrcValid()).toBe(true)
          expect(result.sizeInBytes).toBe(retained.length)
          expect(showAll(result)).toEqual(kept.map(show))
          expect([...result.records(bytesMax)].map((record) => record.offset)).toEqual(
            records.flatMap((_, index) => (isKept(index) ? [batch.baseOffset + index] : [])),
          )
          expect(result.deleteHorizonMs).toBe(horizonMs)
          expect(result.maxTimestamp).toBe(Math.max(...kept.map((record) => record.timestamp)))
          for (const name of [
            'lastOffset',
            'lastSequence',
            ...Object.keys(options),
          ] as 'lastOffset'[]) {
            expect(result[name]).toBe(batch[name])
          }
        },
      ),
      { seed: 13, numRuns: 100 },
    )
  })

  it('answers a batch of which all is kept as it is, and keeps a delete horizon', () => {
    const batch = RecordBatch.at(simple(4))
    const all = { keep: () => true, decompressedBytesMax: 0 }
    expect(retainRecords(batch, all)?.equals(batch.bytes)).toBe(true)
    const first = retainRecords(batch, { ...all, deleteHorizonMs: time + 5000 }) ?? Buffer.alloc(0)
    const next = retainRecords(RecordBatch.at(first), {
      ...all,
      keep: ({ offset }) => offset === 2,
    })
    const result = RecordBatch.at(next ?? Buffer.alloc(0))
    expect(result.deleteHorizonMs).toBe(time + 5000)
    expect([...result.records(0)].map((record) => record.timestamp)).toEqual([time + 2])
    expect(result.maxTimestamp).toBe(time + 2)
  })

  it('leaves timestamps beyond 2^53 as they stand', () => {
    const golden = RecordBatch.at(Buffer.from(goldenBatches['extreme timestamps'], 'base64'))
    const keep = ({ offset }: { offset: number }): boolean => offset !== 100
    const retained = retainRecords(golden, { keep, decompressedBytesMax: 0 })
    expect(retained?.subarray(27, 43).equals(golden.bytes.subarray(27, 43))).toBe(true)
    expect(
      retained?.subarray(61).equals(golden.recordBytes.subarray(-(retained.length - 61))),
    ).toBe(true)
  })

  it('keeps the time at which a batch was appended', () => {
    const batch = RecordBatch.at(simple(3))
    batch.setLogAppendTime(time + 99)
    const options = {
      keep: ({ offset }: { offset: number }) => offset > 0,
      decompressedBytesMax: 0,
    }
    for (const horizon of [{}, { deleteHorizonMs: time + 5000 }]) {
      const result = RecordBatch.at(
        retainRecords(batch, { ...options, ...horizon }) ?? Buffer.alloc(0),
      )
      expect(result.maxTimestamp).toBe(time + 99)
      expect([...result.records(0)].map((record) => record.timestamp)).toEqual([
        time + 99,
        time + 99,
      ])
    }
  })

  it('leaves of a batch what is known of its producer', () => {
    const options = { producerId: 3, producerEpoch: 1, baseSequence: 7, baseOffset: 50 }
    const batch = RecordBatch.at(simple(4, { ...options, compression: 'gzip' }))
    const empty = RecordBatch.at(emptyBatch(batch))
    expect(empty.isCrcValid()).toBe(true)
    expect([...empty.records(0)]).toEqual([])
    expect([empty.recordCount, empty.sizeInBytes, empty.compression]).toEqual([0, 61, 'none'])
    expect([empty.baseOffset, empty.lastOffset, empty.lastSequence]).toEqual([50, 53, 10])
    expect(empty.maxTimestamp).toBe(batch.maxTimestamp)
    expect(retainRecords(empty, { keep: () => true, decompressedBytesMax: 0 })).toBeUndefined()
  })
})
