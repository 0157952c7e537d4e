import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driveFlow } from '../../testing/index.ts'
import {
  orders,
  OrderCreated,
  OrderPaid,
  paidOrders,
  PaymentCompleted,
  payments,
} from '../fixture/shop.ts'
import { joinOracle } from '../fixture/join-oracle.ts'
import type { LoggedEvent } from '../fixture/join-oracle.ts'
import { join } from '../index.ts'

const minuteMs = 60_000
const start = Date.UTC(2026, 0, 1)

type Unique = 'left' | 'right' | 'both' | undefined

function paid(unique?: Unique) {
  const flow = join(orders, payments, {
    ...{ name: 'paid', within: '10m', grace: '2m', idleAfter: '30s' },
    ...(unique !== undefined && { unique }),
  })
  return flow.send(paidOrders, OrderPaid, ({ left, right }) => ({
    orderId: left.data.orderId,
    orderEvent: left.id,
    paymentEvent: right.id,
  }))
}

const pipe = fc.record({
  side: fc.constantFrom(0, 1),
  key: fc.constantFrom('a', 'b', 'ab'),
  /** A few events come again, as they were. */
  id: fc.integer({ min: 0, max: 30 }),
  /** How far the world goes on, and how much earlier the event happened. */
  onward: fc.integer({ min: 0, max: 3 }),
  late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
})
const action = fc.oneof(
  { weight: 12, arbitrary: pipe.map((event) => ({ kind: 'pipe' as const, ...event })) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 40 })
      .map((minutes) => ({ kind: 'advance' as const, minutes })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)

describe('a join', () => {
  it.each<Unique>([undefined, 'left', 'right', 'both'])(
    'comes to what the rules alone say, with one event of a key at a time: %s',
    (unique) => {
      const settings = {
        ...{ withinMs: 10 * minuteMs, graceMs: 2 * minuteMs },
        unique: [
          unique === 'left' || unique === 'both',
          unique === 'right' || unique === 'both',
        ] as const,
      }
      fc.assert(
        fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
          const driver = driveFlow(paid(unique), { now: start + 30 * 86_400_000 })
          let worldMs = start + 30 * minuteMs
          const logs: [LoggedEvent[], LoggedEvent[]] = [[], []]
          for (const each of actions) {
            if (each.kind === 'restart') driver.restart()
            else if (each.kind === 'advance') driver.advance(each.minutes * minuteMs)
            else {
              const { side, key, onward, late } = each
              // The same id is the same event: at the same time, of the same key.
              const id = `${side}-${key}-${each.id}`
              worldMs += onward * minuteMs
              const event = { id, key, time: worldMs - late * minuteMs }
              const again = logs[side].find((known) => known.id === id) ?? event
              logs[side].push(again)
              const options = { id, timestamp: again.time }
              const data = { orderId: key, cents: 1 }
              if (side === 0) driver.pipe(orders, OrderCreated, data, options)
              else driver.pipe(payments, PaymentCompleted, data, options)
            }
          }
          const expected = joinOracle(logs, driver.steps, settings)
          const letters = [orders, payments].map((topic) => driver.readDeadLetters(topic))
          const ids = (errorClass: string) =>
            letters.map((list, side) =>
              list
                .filter((letter) => letter.errorClass === errorClass)
                .map(({ offset }) => logs[side]?.[offset]?.id ?? '?')
                .sort(),
            )
          expect({
            matched: driver
              .read(paidOrders)
              .map(({ data }) => `${data.orderEvent}+${data.paymentEvent}`)
              .sort(),
            unmatched: ids('UnmatchedRecord'),
            late: ids('LateRecord'),
            joinTime: driver.time,
          }).toEqual({
            matched: expected.matched,
            unmatched: expected.unmatched,
            late: expected.late,
            joinTime: expected.joinTime,
          })
        }),
        { seed: 7, numRuns: 200 },
      )
    },
  )

  it('brings together only what is equal beside the key, too', () => {
    const flow = join(orders, payments, {
      ...{ name: 'paid', within: '10m', grace: '2m' },
      where: {
        left: ({ data }) => String(data.cents),
        right: ({ data }) => String(data.cents),
      },
    })
    flow.send(paidOrders, OrderPaid, ({ left, right }) => ({
      orderId: left.data.orderId,
      orderEvent: left.id,
      paymentEvent: right.id,
    }))
    const driver = driveFlow(flow, { now: start })
    driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 }, { id: 'order of 1' })
    driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 2 }, { id: 'order of 2' })
    driver.pipe(payments, PaymentCompleted, { orderId: 'a', cents: 2 }, { id: 'payment of 2' })
    driver.pipe(payments, PaymentCompleted, { orderId: 'b', cents: 1 }, { id: 'payment of 1' })
    const { data } = driver.read(paidOrders)[0] ?? {}
    expect(data).toMatchObject({ orderEvent: 'order of 2', paymentEvent: 'payment of 2' })
    expect(driver.count('matched')).toBe(1)
  })
})
