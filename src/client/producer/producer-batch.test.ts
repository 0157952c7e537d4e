import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatch, RecordBatchBuilder } from '../../protocol/records/index.ts'
import { BufferPool } from './buffer-pool.ts'
import { ProducerBatch, sequenceAfter } from './producer-batch.ts'
import { splitBatch } from './rebuild-batch.ts'

const origin = { topic: 'orders', partition: 0, createdMs: 0, deadlineMs: 1 }
const identity = { producerId: 5, producerEpoch: 2 }

function batchOf(values: readonly string[], pool?: BufferPool): ProducerBatch {
  const memory = pool?.take(4096, Infinity) ?? 100
  const batch = new ProducerBatch(origin, new RecordBatchBuilder(memory), pool)
  for (const value of values) batch.tryAppend(null, value, 7, [], 1 << 20)
  return batch
}

const valuesOf = (bytes: Buffer) =>
  [...RecordBatch.at(bytes).records(1 << 20)].map(({ value }) => String(value))

describe('sequence numbers', () => {
  it('start again at 0 behind 2^31 - 1, as those of the records of a batch do', () => {
    expect(sequenceAfter(0, 1)).toBe(1)
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0)
    const batch = batchOf(['a', 'b', 'c', 'd', 'e'])
    batch.stamp(identity, 2 ** 31 - 2, {})
    const { lastSequence } = RecordBatch.at(batch.bytes)
    expect(sequenceAfter(2 ** 31 - 2, batch.recordCount)).toBe(sequenceAfter(lastSequence, 1))
    const halves = splitBatch(batch)
    for (const half of halves) half.stamp(half.identity, half.baseSequence, {})
    const [first, second] = halves.map(({ bytes }) => RecordBatch.at(bytes))
    expect(first?.baseSequence).toBe(2 ** 31 - 2)
    expect(second?.baseSequence).toBe(sequenceAfter(2 ** 31 - 2, first?.recordCount ?? 0))
    expect(second?.lastSequence).toBe(lastSequence)
  })
})

describe('a batch that was too large', () => {
  it('becomes two with the same records, in order', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(sizes, fc.constantFrom('none', 'gzip' as const), (each, compression) => {
        const values = each.map((size, index) => `${index}-${'x'.repeat(size)}`)
        const batch = batchOf(values)
        batch.stamp(identity, 3, { compression })
        const halves = splitBatch(batch)
        for (const half of halves) half.stamp(half.identity, half.baseSequence, {})
        expect(halves.map(({ recordCount }) => recordCount > 0)).toEqual([true, true])
        expect(halves.flatMap(({ bytes }) => valuesOf(bytes))).toEqual(values)
      }),
      { seed: 8, numRuns: 60 },
    )
  })
})

describe('the memory of a batch', () => {
  const written = { baseOffset: 0, logAppendTimeMs: -1 }

  it('is used again once a single request with it was answered', () => {
    const pool = new BufferPool(1 << 20)
    const batch = batchOf(['a'], pool)
    batch.stamp(identity, 0, {})
    const { buffer } = batch.bytes
    batch.attempts = 1
    batch.delivered(written)
    expect(pool.take(4096, Infinity).buffer).toBe(buffer)
    expect(pool.take(4096, Infinity).buffer).not.toBe(buffer)
  })

  it('is not, when a request before may still be on its way', () => {
    const pool = new BufferPool(1 << 20)
    const batch = batchOf(['a'], pool)
    batch.stamp(identity, 0, {})
    const { buffer } = batch.bytes
    batch.attempts = 2
    batch.delivered(written)
    expect(pool.take(4096, Infinity).buffer).not.toBe(buffer)
  })

  it('is kept within a limit, and given out within one', () => {
    const pool = new BufferPool(10_000)
    const buffers = [1, 2, 3].map(() => pool.take(4096, Infinity))
    for (const buffer of buffers) pool.give(buffer)
    const again = new Set([1, 2, 3].map(() => pool.take(4000, Infinity)))
    expect(buffers.filter((buffer) => again.has(buffer))).toHaveLength(2)
    expect(pool.take(5_000, 6_000).length).toBe(5_000)
    expect(pool.take(5_000, 300).length).toBe(300)
  })
})
