import { describe, expect, it } from 'vitest'
import { keptResultIn, writtenResult } from '../operator/kept-result.ts'
import { StateError } from './state-error.ts'
import { rememberedIn } from './stored-record.ts'

const form = { name: 'counts', version: 2, upgrade: undefined }
const kept = (version: number) =>
  writtenResult({ ...form, version }, { end: 0, isClosed: false, value: { count: 1 } })

/** What stops the task: no record is at fault, so that none becomes a dead letter. */
describe('what cannot be read of the state', () => {
  it('is a record of a newer version', () => {
    expect(() => rememberedIn(Buffer.from([9, 0]))).toThrow(StateError)
  })

  it('is a result of a newer version, or damaged', () => {
    expect(() => keptResultIn(Buffer.from([9]), form)).toThrow(StateError)
    expect(() => keptResultIn(kept(2).subarray(0, -1), form)).toThrow(StateError)
  })

  it('is a result of an older version that is not upgraded', () => {
    expect(() => keptResultIn(kept(1), form)).toThrow(StateError)
    const upgrade = () => {
      throw new Error('it has no count')
    }
    expect(() => keptResultIn(kept(1), { ...form, upgrade })).toThrow(StateError)
  })
})
