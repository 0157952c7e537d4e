import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch, RecordBatchBuilder, retainRecords } from '../../protocol/records/index.ts'
import { FetchedChunk } from './fetched-chunk.ts'
import type { FetchedChunkOptions } from './fetched-chunk.ts'
import { FetchedBatch } from './fetched-batch.ts'
import { TransactionLog } from './fixture/transaction-log.ts'
import type { LogStep } from './fixture/transaction-log.ts'
import { batchOf } from './fixture/writer.ts'

const unread = { offset: 0, leaderEpoch: -1 }

function chunkOf(records: Buffer, options: Partial<FetchedChunkOptions> = {}): FetchedChunk {
  return new FetchedChunk({
    records,
    position: unread,
    aborted: [],
    highWatermark: 1_000,
    checkCrc: true,
    decompressedBytesMax: 1_000_000,
    ...options,
  })
}

/** What is handed out of a chunk, in parts of at most `recordsMax`. */
function takeAll(chunk: FetchedChunk, recordsMax = Number.MAX_SAFE_INTEGER): FetchedBatch[] {
  const batches: FetchedBatch[] = []
  for (;;) {
    const taken = chunk.take(recordsMax)
    if (taken.recordCount === 0) return batches
    const { offset: nextOffset, leaderEpoch } = chunk.position
    const at = { topic: 'orders', partition: 0, nextOffset, leaderEpoch, highWatermark: 0 }
    batches.push(new FetchedBatch({ ...at, ...taken }))
  }
}

const offsetsOf = (batches: readonly FetchedBatch[]) =>
  batches.flatMap((batch) => [...batch].map(({ offset }) => offset))

describe('a reader of committed records', () => {
  const producer = fc.integer({ min: 0, max: 2 })
  const step: fc.Arbitrary<LogStep> = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      producer,
      count: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      kind: fc.constant('end' as const),
      producer,
      type: fc.constantFrom('commit' as const, 'abort' as const),
      twice: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('plain' as const), count: fc.integer({ min: 1, max: 3 }) }),
  )
  const cut = fc.record({
    batches: fc.integer({ min: 1, max: 30 }),
    cutBytes: fc.integer({ min: 0, max: 70 }),
    recordsMax: fc.integer({ min: 1, max: 5 }),
    shuffle: fc.infiniteStream(fc.nat()),
  })

  it('sees exactly what was committed, however transactions and fetches are cut', () => {
    const steps = fc.array(step, { maxLength: 40, size: 'max' })
    const cuts = fc.array(cut, { minLength: 1, maxLength: 10, size: 'max' })
    fc.assert(
      fc.property(steps, cuts, fc.nat(), (done, fetches, startSeed) => {
        const log = new TransactionLog(done)
        const start = startSeed % (log.end + 1)
        let position = { offset: start, leaderEpoch: -1 }
        const seen: number[] = []
        for (let round = 0; position.offset < log.end; round++) {
          const { batches, cutBytes, recordsMax, shuffle } = fetches[round % fetches.length]!
          const records = log.batchesFrom(position.offset, batches, cutBytes)
          const order = [...shuffle.take(100)]
          const aborted = log
            .abortedIn(position.offset, records)
            .map((entry, index) => ({ entry, rank: order[index] ?? 0 }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ entry }) => entry)
          const chunk = chunkOf(records, { position, aborted })
          seen.push(...offsetsOf(takeAll(chunk, recordsMax)))
          expect(chunk.position).toEqual(FetchedChunk.end(records))
          position = chunk.position
        }
        expect(seen).toEqual(log.visibleFrom(start))
        expect(position.offset).toBe(Math.max(start, log.end))
      }),
      { seed: 7, numRuns: 1_500 },
    )
  })

  it('knows an aborted transaction that began before the fetch and ends behind it', () => {
    const options = { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const records = batchOf(['in the middle'], { ...options, baseOffset: 50 })
    const aborted = [{ producerId: 7, firstOffset: 3 }]
    const chunk = chunkOf(records, { position: { offset: 50, leaderEpoch: -1 }, aborted })
    expect(takeAll(chunk)).toEqual([])
    expect(chunk.position.offset).toBe(51)
  })

  it('takes no record of a user for a marker', () => {
    const looksLikeMarker = new RecordBatchBuilder()
    looksLikeMarker.append({ key: Buffer.alloc(4), value: Buffer.alloc(6), timestamp: 1 })
    looksLikeMarker.append({ key: null, value: 'aborted too', timestamp: 1 })
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const records = Buffer.concat([
      looksLikeMarker.build({ ...producer, baseOffset: 0 }),
      batchOf(['aborted as well'], { ...producer, baseOffset: 2 }),
    ])
    const chunk = chunkOf(records, { aborted: [{ producerId: 7, firstOffset: 0 }] })
    expect(takeAll(chunk)).toEqual([])
  })

  it('hands a record that looks like a marker to those who read all', () => {
    const builder = new RecordBatchBuilder()
    builder.append({ key: Buffer.alloc(4), value: null, timestamp: 1 })
    expect(offsetsOf(takeAll(chunkOf(builder.build({}))))).toEqual([0])
  })
})

describe('a fetched chunk', () => {
  const two = Buffer.concat([
    batchOf(['a', 'b', 'c'], { baseOffset: 10, partitionLeaderEpoch: 1 }),
    batchOf(['d', 'e'], { baseOffset: 20, partitionLeaderEpoch: 2, compression: 'gzip' }),
  ])

  it('begins at the offset that was asked for, within a batch or in a gap before one', () => {
    const from = (offset: number) =>
      offsetsOf(takeAll(chunkOf(two, { position: { offset, leaderEpoch: -1 } })))
    expect(from(10)).toEqual([10, 11, 12, 20, 21])
    expect(from(12)).toEqual([12, 20, 21])
    expect(from(15)).toEqual([20, 21])
    expect(from(21)).toEqual([21])
  })

  it('tells the position and the leader epoch behind each part', () => {
    const parts = takeAll(chunkOf(two), 2)
    expect(parts.map(({ nextOffset, leaderEpoch }) => [nextOffset, leaderEpoch])).toEqual([
      [12, 1],
      [21, 2],
      [22, 2],
    ])
    expect(parts.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([
      [10, 11],
      [12, 20],
      [21, 21],
    ])
  })

  it('reads parts of a batch in any order, and again', () => {
    const values = ['a', 'b', 'c', 'd', 'e']
    for (const compression of ['none', 'gzip'] as const) {
      const parts = takeAll(chunkOf(batchOf(values, { compression })), 1)
      const order = [1, 3, 0, 4, 2, 1, 0]
      expect(offsetsOf(order.map((index) => parts[index]!))).toEqual(order)
      expect(offsetsOf(parts)).toEqual([0, 1, 2, 3, 4])
    }
  })

  it('reads what compaction has left, at any cut', () => {
    const batch = RecordBatch.at(batchOf(['a', 'b', 'c', 'd', 'e', 'f'], { baseOffset: 10 }))
    const kept = (offsets: readonly number[]) =>
      retainRecords(batch, {
        keep: ({ offset }) => offsets.includes(offset),
        decompressedBytesMax: 1_000,
      })!
    for (const keep of [[10, 15], [11, 12, 14], [13]]) {
      const records = Buffer.concat([kept(keep), batchOf(['g'], { baseOffset: 16 })])
      for (const recordsMax of [1, 2, 9]) {
        const parts = takeAll(chunkOf(records), recordsMax)
        expect(offsetsOf(parts)).toEqual([...keep, 16])
        const firstAndLast = parts.flatMap((part) => [part.firstOffset, part.lastOffset])
        const seen = parts.map((part) => offsetsOf([part]))
        expect(firstAndLast).toEqual(seen.flatMap((offsets) => [offsets[0], offsets.at(-1)]))
      }
      const position = { offset: 13, leaderEpoch: -1 }
      const expected = [...keep.filter((offset) => offset >= 13), 16]
      expect(offsetsOf(takeAll(chunkOf(records, { position })))).toEqual(expected)
    }
  })

  it('hands out what stands before a batch with a wrong checksum, then says which one it is', () => {
    const broken = Buffer.from(two)
    broken[broken.length - 1]! ^= 1
    const chunk = chunkOf(broken)
    expect(chunk.take(100).recordCount).toBe(3)
    expect(chunk.position.offset).toBe(13)
    expect(() => chunk.take(100)).toThrow(/offset 20 has a wrong CRC/)
    expect(chunkOf(broken, { checkCrc: false }).take(100).recordCount).toBe(5)
  })

  it('says where records decompress to more than is allowed', () => {
    const bomb = batchOf(['x'.repeat(5_000)], { baseOffset: 4, compression: 'gzip' })
    const [batch] = takeAll(chunkOf(bomb, { decompressedBytesMax: 1_000 }))
    expect(() => [...batch!]).toThrow(/orders-0: the batch at offset 4 cannot be read/)
  })
})
