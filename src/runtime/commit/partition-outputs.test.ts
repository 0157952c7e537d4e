/**
 * Promise: what a handler sends is written with the commit that ends its record, all of it and nothing of attempts
 * that failed.
 *
 * Proves: 6
 */
import { describe, expect, it } from 'vitest'
import type { Delivery } from '../delivery.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import { PartitionOutputs } from './partition-outputs.ts'

/** A record whose handler has sent its offset. */
function sent(offset: number): Delivery {
  const delivery = deliveryOf(undefined, { offset })
  delivery.stage({ topic: 'prices', value: String(offset) }, delivery.run)
  return delivery
}

function newOutputs() {
  const staged = { bytes: 0, add: (bytes: number) => void (staged.bytes += bytes) }
  return { outputs: new PartitionOutputs(staged), staged }
}

const valuesOf = ({ records }: ReturnType<PartitionOutputs['take']>) =>
  records.map(({ value }) => value)

describe('what is written with the commits of a partition', () => {
  it('keeps what ends while a commit is on its way for the next one', () => {
    const { outputs, staged } = newOutputs()
    for (const offset of [0, 1]) outputs.add(sent(offset), 'done')
    const first = outputs.take()
    outputs.add(sent(2), 'done')
    expect(valuesOf(first)).toEqual(['0', '1'])
    first.committed()
    expect(staged.bytes).toBeGreaterThan(0)
    const second = outputs.take()
    expect(valuesOf(second)).toEqual(['2'])
    second.committed()
    expect(valuesOf(outputs.take())).toEqual([])
    expect(staged.bytes).toBe(0)
  })

  it('is there again for the next commit when one fails', () => {
    const { outputs } = newOutputs()
    outputs.add(sent(0), 'done')
    outputs.take()
    outputs.add(sent(1), 'done')
    expect(valuesOf(outputs.take())).toEqual(['0', '1'])
  })

  it('is nothing of what was passed over, and of a partition that was given up', () => {
    const { outputs, staged } = newOutputs()
    outputs.add(sent(0), 'skipped')
    expect(valuesOf(outputs.take())).toEqual([])
    const told: boolean[] = []
    const dropped = sent(1)
    dropped.whenDurable((isCommitted) => void told.push(isCommitted))
    outputs.add(dropped, 'done')
    outputs.discard()
    expect(valuesOf(outputs.take())).toEqual([])
    expect(told).toEqual([false])
    expect(staged.bytes).toBe(0)
  })

  it('is nothing of an attempt that failed', () => {
    const { outputs } = newOutputs()
    const delivery = sent(0)
    delivery.begin(2)
    delivery.stage({ topic: 'prices', value: 'again' }, delivery.run)
    outputs.add(delivery, 'done')
    expect(valuesOf(outputs.take())).toEqual(['again'])
  })
})
