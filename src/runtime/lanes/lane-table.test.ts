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

describe('lanes that are over', () => {
  it('hold nothing up, and are there again for later records of their keys', () => {
    const { table, records } = tableOf(1)
    const first = start(table)!
    expect(table.isEmpty).toBe(false)
    table.ended(first.lane, first.delivery)
    expect([table.isEmpty, table.lane('a')]).toEqual([true, undefined])
    const lane = table.occupy('a', records[0]!)
    expect([table.isEmpty, table.lane('a')]).toEqual([false, lane])
    table.wait('a', deliveryOf(undefined, { offset: 1 }))
    expect(start(table)).toBeUndefined()
    table.ended(lane, records[0]!)
    expect(start(table)?.delivery.offset).toBe(1)
  })

  it('are forgotten when they are many, and those that are not over are kept', () => {
    const table = new LaneTable()
    const open = [deliveryOf(undefined, { offset: 0 }), deliveryOf(undefined, { offset: 1 })]
    const lane = table.occupy('open', open[0]!)
    table.wait('open', open[1]!)
    table.hold('held')
    for (let number = 0; number < 5_000; number++) {
      const record = deliveryOf(undefined, { offset: 2 + number })
      table.ended(table.occupy(`key-${number}`, record), record)
    }
    expect([table.lane('open'), table.lane('held')]).toEqual([lane, expect.anything()])
    expect(start(table)).toBeUndefined()
    table.ended(lane, open[0]!)
    const last = start(table)!
    expect(last.delivery).toBe(open[1])
    table.ended(last.lane, last.delivery)
    table.letGo('held')
    expect(table.isEmpty).toBe(true)
  })

  it('do not count when what ran has ended after all was forgotten', () => {
    const { table } = tableOf(2)
    const first = start(table)!
    table.clear()
    table.ended(first.lane, first.delivery)
    expect(table.isEmpty).toBe(true)
    const lane = table.occupy('a', first.delivery)
    expect(table.isEmpty).toBe(false)
    table.ended(lane, first.delivery)
    expect(table.isEmpty).toBe(true)
  })
})
