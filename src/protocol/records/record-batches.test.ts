import { describe, expect, it } from 'vitest'
import { changed, failure, simple } from './fixture/batch-samples.ts'
import { RecordBatches } from './index.ts'

describe('RecordBatches', () => {
  it('leaves out the last batch when it is cut off, wherever that is', () => {
    const first = simple(2, { baseOffset: 10 })
    const second = simple(3, { baseOffset: 12 })
    const all = Buffer.concat([first, second])
    for (let length = 0; length <= all.length; length++) {
      const batches = new RecordBatches(all.subarray(0, length))
      const offsets = [...batches].map((batch) => batch.baseOffset)
      const whole = (length >= first.length ? 1 : 0) + (length === all.length ? 1 : 0)
      expect(offsets).toEqual([10, 12].slice(0, whole))
      expect(batches.position).toBe([0, first.length, all.length][whole])
    }
  })

  it('refuses what is not a batch', () => {
    const old = changed(simple(1), 16, 1)
    expect(failure(() => [...new RecordBatches(old)])).toMatch('magic 1')
    expect(failure(() => [...new RecordBatches(changed(simple(1), 8, 0, 0, 0, 3))])).toMatch(
      '15 bytes',
    )
    expect(failure(() => [...new RecordBatches(Buffer.alloc(100))])).toMatch('magic 0')
  })
})
