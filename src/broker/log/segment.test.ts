import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch } from '../../protocol/records/index.ts'
import { batchesIn, batchOf, startMs } from './log-fixture.ts'
import { MemoryBytes } from './memory-bytes.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { Segment } from './segment.ts'

/** Answers exactly what is asked for, as a file does. */
class FlatBytes implements SegmentBytes {
  #bytes: Buffer = Buffer.alloc(0)
  readonly reads: number[] = []

  get size(): number {
    return this.#bytes.length
  }

  append(batch: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, batch])
  }

  chunkAt(position: number, lengthWanted: number): Buffer {
    this.reads.push(lengthWanted)
    return this.#bytes.subarray(position, position + lengthWanted)
  }
}

interface Step {
  /** Offsets that compaction has left empty before the batch. */
  readonly gap: number
  readonly count: number
  readonly valueBytes: number
}

interface Made {
  readonly segment: Segment
  readonly batches: readonly RecordBatch[]
}

const baseOffset = 100

function make(steps: readonly Step[], bytes: SegmentBytes): Made {
  const segment = new Segment({ baseOffset, endOffset: baseOffset, bytes, createdMs: startMs })
  const batches = steps.map(({ gap, count, valueBytes }) => {
    const values = Array.from({ length: count }, () => 'x'.repeat(valueBytes))
    const batch = RecordBatch.at(batchOf(values))
    batch.setBaseOffset(segment.endOffset + gap)
    segment.append(batch.bytes)
    return batch
  })
  return { segment, batches }
}

const steps = fc.array(
  fc.record({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 })),
    count: fc.integer({ min: 1, max: 4 }),
    valueBytes: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 200 }) },
      { weight: 1, arbitrary: fc.integer({ min: 4000, max: 40_000 }) },
    ),
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
)

const wanted = fc.record({
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  endShare: fc.double({ min: 0, max: 1, noNaN: true }),
  bytesMax: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 100_000 })),
  atLeastOneBatch: fc.boolean(),
})

/** What a read must answer, found by looking at every batch. */
function expectedRead(
  batches: readonly RecordBatch[],
  options: { offset: number; endOffset: number; bytesMax: number; atLeastOneBatch: boolean },
): RecordBatch[] {
  const found: RecordBatch[] = []
  let bytes = 0
  for (const batch of batches) {
    if (batch.lastOffset < options.offset) continue
    if (batch.baseOffset >= options.endOffset) break
    const isForced = found.length === 0 && options.atLeastOneBatch
    if (bytes + batch.sizeInBytes > options.bytesMax && !isForced) break
    found.push(batch)
    bytes += batch.sizeInBytes
  }
  return found
}

/** A reader goes on behind the last batch, or behind the gap that compaction left there. */
function checkNextOffset(found: number, end: number, batches: readonly RecordBatch[]): void {
  const next = batches.find(({ baseOffset: base }) => base >= end)?.baseOffset ?? end
  expect([end, next]).toContain(found)
}

const makers: [string, () => SegmentBytes][] = [
  ['memory', () => new MemoryBytes()],
  ['file', () => new FlatBytes()],
]

describe.each(makers)('a segment in %s', (_, makeBytes) => {
  it('reads the whole batches that are wanted', () => {
    fc.assert(
      fc.property(steps, wanted, (taken, { share, endShare, bytesMax, atLeastOneBatch }) => {
        const { segment, batches } = make(taken, makeBytes())
        const length = segment.endOffset - baseOffset
        const offset = baseOffset + Math.floor(length * share)
        // What is visible ends where a batch starts.
        const limit = baseOffset + Math.floor(length * endShare)
        const endOffset =
          batches.find((batch) => batch.baseOffset >= limit)?.baseOffset ?? segment.endOffset
        const options = { offset, endOffset, bytesMax, atLeastOneBatch }
        const read = segment.read(options)
        const expected = expectedRead(batches, options)
        expect(Buffer.concat(read.chunks)).toEqual(
          Buffer.concat(expected.map(({ bytes }) => bytes)),
        )
        expect(read.bytes).toBe(expected.reduce((sum, batch) => sum + batch.sizeInBytes, 0))
        checkNextOffset(read.nextOffset, expected.at(-1)?.nextOffset ?? offset, batches)
      }),
      { seed: 21, numRuns: 300 },
    )
  })

  it('knows the position of every offset, with its index and with one that is made anew', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const { segment, batches } = make(taken, makeBytes())
        const { bytes, endOffset } = segment
        const opened = new Segment({ baseOffset, endOffset, bytes, createdMs: startMs })
        for (let offset = baseOffset; offset <= endOffset; offset++) {
          let position = 0
          for (const batch of batches) {
            if (batch.lastOffset >= offset) break
            position += batch.sizeInBytes
          }
          expect(segment.positionOf(offset)).toBe(position)
          expect(opened.positionOf(offset)).toBe(position)
        }
        expect(opened.index.numbers).toEqual(segment.index.numbers)
      }),
      { seed: 22, numRuns: 60 },
    )
  })
})

describe('a segment in a file', () => {
  it('is read once for a read of small batches', () => {
    const bytes = new FlatBytes()
    const many = Array.from({ length: 500 }, () => ({ gap: 0, count: 1, valueBytes: 100 }))
    const { segment } = make(many, bytes)
    bytes.reads.length = 0
    const read = segment.read({
      offset: 250,
      endOffset: segment.endOffset,
      bytesMax: 20_000,
      atLeastOneBatch: true,
    })
    expect(bytes.reads).toHaveLength(1)
    expect(batchesIn(read.chunks)[0]?.baseOffset).toBe(250)
    expect(read.chunks).toHaveLength(1)
  })

  it('says that it is damaged when no batch is where one must be', () => {
    const bytes = new FlatBytes()
    const { segment } = make([{ gap: 0, count: 1, valueBytes: 10 }], bytes)
    bytes.append(Buffer.alloc(100))
    const read = () =>
      segment.read({ offset: 101, endOffset: 200, bytesMax: 1000, atLeastOneBatch: true })
    expect(read).toThrow(/no batch starts at byte/)
  })
})
