import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyRecords, failure } from './fixture/batch-samples.ts'
import { RecordBatch, RecordBatchBuilder } from './index.ts'

describe('RecordBatchBuilder', () => {
  it('tells the size before it is reached', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const builder = new RecordBatchBuilder(70)
        for (const record of records) {
          const size = builder.sizeWith(record)
          builder.append(record)
          expect(builder.sizeInBytes).toBe(size)
        }
        const size = builder.sizeInBytes
        expect(builder.recordCount).toBe(records.length)
        expect(builder.build().length).toBe(size)
      }),
      { seed: 9, numRuns: 60 },
    )
  })

  it('refuses what cannot be written, and to go on after it has built', () => {
    const record = { key: null, value: null, timestamp: 1 }
    const builder = new RecordBatchBuilder()
    expect(failure(() => builder.build())).toMatch('no records')
    for (const timestamp of [-2, 0.5, NaN, 2 ** 53]) {
      expect(failure(() => builder.append({ ...record, timestamp }))).toMatch('a timestamp of')
    }
    builder.append(record)
    expect(RecordBatch.at(builder.build()).recordCount).toBe(1)
    expect(failure(() => builder.append(record))).toMatch('it was built')
    expect(failure(() => builder.build())).toMatch('it was built')
  })
})
