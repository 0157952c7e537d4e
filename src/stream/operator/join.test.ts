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
import { makeRecord } from '../../protocol/records/index.ts'
import { memoryStateStores } from '../../store/index.ts'
import { joinOracle } from '../fixture/join-oracle.ts'
import type { LoggedEvent } from '../fixture/join-oracle.ts'
import { join } from '../index.ts'
import { TaskState } from '../state/task-state.ts'
import { Timers } from '../state/timers.ts'
import { Join } from './join.ts'

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

describe('a join of other settings than before', () => {
  it('matches no more what had all that it could have, and harms nothing beside it', async () => {
    const state = new TaskState(await memoryStateStores().open('task'))
    const pairs: string[] = []
    const text = ({ value }: { readonly value: Buffer | null }) => String(value)
    const made = (unique: readonly [boolean, boolean]) =>
      new Join({
        ...{ name: 'paid', withinMs: 1_000, graceMs: 0, unique, where: undefined },
        ...{ state, timers: new Timers(state), time: () => 0, count: () => undefined },
        decode: (_side, { record }) => eventOf(text(record)),
        topicOf: () => 'orders',
        matched: ({ left, right }) => pairs.push(`${String(left?.data)}+${String(right?.data)}`),
        unmatched: () => undefined,
        late: () => undefined,
      })
    const eventOf = (data: string) => ({ id: data, type: 'EVENT', timestamp: 1, data })
    let offset = 0
    const take = (join: Join, input: 0 | 1, key: string, value: string) => {
      const record = makeRecord({
        ...{ offset: offset++, timestamp: 1, headers: [] },
        ...{ key: Buffer.from(key), value: Buffer.from(value) },
      })
      const event = eventOf(value)
      join.take({ topic: 'orders', partition: 0, record, input, event, key, time: 1 })
    }
    const before = made([false, true])
    take(before, 1, 'a', 'first payment')
    take(before, 0, 'a', 'first order')
    const after = made([false, false])
    take(after, 0, 'b', 'order of another key')
    take(after, 1, 'a', 'second payment')
    take(after, 0, 'c', 'third order')
    take(after, 1, 'b', 'third payment')
    expect(pairs).toEqual(['first order+first payment', 'order of another key+third payment'])
  })
})
