import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import { baseOffsetAt, lastOffsetAt } from './batch-header.ts'
import { batchesIn, batchOf, startMs } from './log-fixture.ts'
import { MemoryBytes } from './memory-bytes.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { Segment } from './segment.ts'

/** Answers exactly what is asked for, as a file does. */
class FlatBytes implements SegmentBytes {
  readonly path = 'segment'
  #bytes: Buffer = Buffer.alloc(0)
  readonly reads: number[] = []

  get size(): number {
    return this.#bytes.length
  }

  append(batch: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, batch])
  }

  /** What a bad disk does. */
  damage(change: (bytes: Buffer) => void): void {
    change(this.#bytes)
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
  const mayHaveGaps = steps.some(({ gap }) => gap > 0)
  const times = { createdMs: startMs, mayHaveGaps }
  const segment = new Segment({ baseOffset, endOffset: baseOffset, bytes, ...times })
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

const denseSteps = steps.map((taken) => taken.map((step) => ({ ...step, gap: 0 })))

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
        const expectedBytes = Buffer.concat(expected.map(({ bytes }) => bytes))
        expect(Buffer.concat(read.chunks).equals(expectedBytes)).toBe(true)
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
    expect(read).toThrow('segment: at byte')
  })

  it('says that it is damaged when a batch ends before it starts', () => {
    const bytes = new FlatBytes()
    const { segment } = make(
      [1, 1, 1].map((gap) => ({ gap, count: 1, valueBytes: 10 })),
      bytes,
    )
    bytes.damage((content) => content.writeInt32BE(-1, 23))
    const { endOffset } = segment
    const read = () => segment.read({ offset: 101, endOffset, bytesMax: 1, atLeastOneBatch: true })
    expect(read).toThrow('segment: at byte 0')
  })

  it('never reads past a record because of a damaged header', () => {
    const header = fc.record({
      batch: fc.nat({ max: 59 }),
      field: fc.constantFrom(...headerFields),
      value: fc.oneof(
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      ),
    })
    let errors = 0
    fc.assert(
      fc.property(
        fc.oneof(steps, denseSteps),
        header,
        fc.boolean(),
        (taken, { batch, field, value }, hasIndex) => {
          const bytes = new FlatBytes()
          const { segment: made, batches } = make(taken, bytes)
          const { endOffset, mayHaveGaps } = made
          const options = { baseOffset, endOffset, bytes, createdMs: startMs, mayHaveGaps }
          const opened = new Segment(options)
          const segment = hasIndex ? made : opened
          const position = batches
            .slice(0, batch % batches.length)
            .reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
          bytes.damage((content) => {
            const at = position + field.at
            content.writeInt32BE((content.readInt32BE(at) + value) | 0, at)
          })
          for (let offset = baseOffset; offset < endOffset; offset++) {
            try {
              const wanted = { offset, endOffset, bytesMax: 1, atLeastOneBatch: true }
              const { chunks, nextOffset } = segment.read(wanted)
              if (mayHaveGaps && chunks.length === 0) continue
              expect(nextOffset).toBeGreaterThan(offset)
              // With another last offset its CRC is wrong, of which readers find out by themselves.
              const found = Buffer.concat(chunks)
              expect(lastOffsetAt(found, 0)).toBeGreaterThanOrEqual(offset)
              if (!mayHaveGaps) expect(baseOffsetAt(found, 0)).toBeLessThanOrEqual(offset)
            } catch (error) {
              if (!isMillraceError(error, 'MILLRACE_BROKER_DATA_INVALID')) throw error
              errors += 1
            }
          }
        },
      ),
      { seed: 23, numRuns: 300 },
    )
    expect(errors).toBeGreaterThan(1000)
  })
})

/** Where a header has what leads from batch to batch. */
const headerFields = [
  { name: 'base offset', at: 4 },
  { name: 'length', at: 8 },
  { name: 'last offset delta', at: 23 },
]
