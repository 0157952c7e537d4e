import { describe, expect, it } from 'vitest'
import { Batch } from '../batch/batch.ts'
import type { Delivery } from '../delivery.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import { LaneTable } from './lane-table.ts'
import type { Lane } from './lane.ts'

const newBatch = () => new Batch(() => undefined)

/** A table with so many records of one key, in their order. */
function tableOf(count: number) {
  const records = Array.from({ length: count }, (_, offset) => deliveryOf(undefined, { offset }))
  const table = new LaneTable()
  for (const record of records) table.wait('a', record)
  return { table, records }
}

/** The next record, as far as it may run. */
function start(table: LaneTable): { lane: Lane; delivery: Delivery } | undefined {
  const lane = table.next()
  return lane?.current === undefined ? undefined : { lane, delivery: lane.current }
}

/** Puts the next record into a batch. */
function join(table: LaneTable, batch: Batch): Delivery {
  const { lane, delivery } = start(table) ?? expect.fail('no record may run')
  expect(lane.mayJoin(batch)).toBe(true)
  table.joined(lane, batch)
  return delivery
}

describe('the lane of a key', () => {
  it('runs one record after another', () => {
    const { table } = tableOf(2)
    const first = start(table)
    expect(first?.delivery.offset).toBe(0)
    expect(start(table)).toBeUndefined()
    table.ended(first!.lane, first!.delivery)
    expect(start(table)?.delivery.offset).toBe(1)
  })

  it('puts what comes out of a batch before the later records of its key', () => {
    const { table, records } = tableOf(4)
    const batch = newBatch()
    for (let count = 0; count < 3; count++) join(table, batch)
    batch.close()
    expect(start(table)).toBeUndefined()
    const lane = table.lane('a')!
    table.ended(lane, records[0]!)
    // They come back in any order.
    for (const offset of [2, 1]) table.giveBack(lane, records[offset]!)
    const order: number[] = []
    for (let next = start(table); next !== undefined; next = start(table)) {
      order.push(next.delivery.offset)
      table.ended(next.lane, next.delivery)
    }
    expect(order).toEqual([1, 2, 3])
    expect(table.isEmpty).toBe(true)
  })

  it('lets a later record into no other batch while earlier ones are in one', () => {
    const { table, records } = tableOf(3)
    const batch = newBatch()
    join(table, batch)
    const { lane } = start(table) ?? expect.fail('the next one may follow into the same batch')
    expect(lane.mayJoin(batch)).toBe(true)
    expect(lane.mayJoin(newBatch())).toBe(false)
    // The batch became full before it came there: it begins anew when that has come to its end.
    batch.close()
    table.giveBack(lane, records[1]!)
    expect(start(table)).toBeUndefined()
    table.ended(lane, records[0]!)
    expect(start(table)?.delivery.offset).toBe(1)
  })
})
