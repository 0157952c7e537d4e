import { describe, expect, it } from 'vitest'
import { build, failure, time } from './fixture/batch-samples.ts'
import { RecordBatch, buildControlBatch, readControlRecord } from './index.ts'

describe('control records', () => {
  it('are told from what is not one', () => {
    const read = (key: Buffer | null, value: Buffer | null): unknown => {
      const batch = build([{ key, value, timestamp: 0 }], { isControl: true })
      const record = RecordBatch.at(batch).records(0).next()
      return record && readControlRecord(record)
    }
    const epoch = Buffer.from([0, 0, 0, 0, 0, 9])
    const longer = Buffer.concat([epoch, Buffer.from([1, 2])])
    expect(read(Buffer.from([0, 0, 0, 0]), epoch)).toEqual({ type: 'abort', coordinatorEpoch: 9 })
    expect(read(Buffer.from([0, 7, 0, 1, 5]), longer)).toEqual({
      type: 'commit',
      coordinatorEpoch: 9,
    })
    expect(read(Buffer.from([0, 0, 0, 5]), null)).toEqual({ type: 'unknown', typeId: 5 })
    expect(failure(() => read(null, epoch))).toMatch('has no type')
    expect(failure(() => read(Buffer.from([0, 0, 0]), epoch))).toMatch('has no type')
    expect(failure(() => read(Buffer.from([255, 0, 0, 0]), epoch))).toMatch('version -256')
    expect(failure(() => read(Buffer.from([0, 0, 0, 1]), epoch.subarray(1)))).toMatch('epoch')
  })

  it('take one offset, in the name of their producer', () => {
    const marker = { producerId: 9, producerEpoch: 2, coordinatorEpoch: 4, timestamp: time }
    const batch = RecordBatch.at(buildControlBatch({ type: 'commit', ...marker, baseOffset: 41 }))
    expect([batch.baseOffset, batch.nextOffset, batch.recordCount]).toEqual([41, 42, 1])
    expect([batch.isControl, batch.isTransactional, batch.baseSequence]).toEqual([true, true, -1])
  })
})
