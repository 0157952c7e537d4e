import { describe, expect, it } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { driveFlow } from '../../testing/index.ts'
import {
  orders,
  OrderCreated,
  OrderPaid,
  paidOrders,
  PaymentCompleted,
  payments,
} from '../fixture/shop.ts'
import { join, session, streamOf, tumbling } from '../index.ts'

const start = Date.UTC(2026, 0, 1)
const minuteMs = 60_000
const timeOfDay = start + 12 * 3_600_000

const Counted = defineEvent('COUNTED', {
  data: Type.Object({ key: Type.String(), count: Type.Integer() }),
})
const counts = defineTopic('counts', { events: [Counted], key: ({ data }) => data.key })

describe('a table behind a join', () => {
  it('makes the record a dead letter that its late value is of, not the one that moved the time', () => {
    const flow = join(orders, payments, {
      ...{ name: 'paid', within: '10m', grace: '1m', type: 'left' },
    })
    flow.window(tumbling('1m')).count('counts', { grace: 0 })
    const driver = driveFlow(flow, { now: start + 3_600_000 })
    driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 }, { timestamp: start })
    const later = { timestamp: start + 20 * minuteMs }
    driver.pipe(payments, PaymentCompleted, { orderId: 'b', cents: 1 }, later)
    driver.pipe(orders, OrderCreated, { orderId: 'c', cents: 1 }, later)
    expect(driver.readDeadLetters(orders)).toMatchObject([
      { errorClass: 'LateRecord', key: 'a', offset: 0 },
    ])
    expect(driver.readDeadLetters(payments)).toEqual([])
  })

  it.each(['by a record', 'by the clock', 'behind a restart'])(
    'has what comes alone in its window, however far the time goes at once (%s)',
    (how) => {
      const flow = join(orders, payments, {
        ...{ name: 'paid', within: '10m', grace: '1m', type: 'left' },
      })
      const table = flow.window(tumbling('1m')).count('counts', { keep: '7d', by: () => 'all' })
      const closed = flow.window(tumbling('1m')).count('closed', { emit: 'close' })
      closed.results.send(counts, Counted, ({ key, value }) => ({ key, count: value }))
      const driver = driveFlow(flow, { now: start + 48 * 3_600_000 })
      const order = (orderId: string, timestamp: number) =>
        driver.pipe(orders, OrderCreated, { orderId, cents: 1 }, { timestamp })
      // So many that not all of them end in one turn.
      const minutes = Array.from({ length: 1_200 }, (_, minute) => minute % 60)
      minutes.forEach((minute, number) => order(`o-${number}`, start + minute * minuteMs))
      if (how === 'behind a restart') driver.restart()
      if (how === 'by the clock') driver.advance(3_600_000)
      else {
        const timestamp = start + 24 * 3_600_000
        driver.pipe(payments, PaymentCompleted, { orderId: 'b', cents: 1 }, { timestamp })
        order('b', timestamp)
      }
      const rows = driver.rows(table).filter(({ window }) => window && window.start < timeOfDay)
      expect(rows).toHaveLength(60)
      expect(rows.map(({ value }) => value)).toEqual(rows.map(() => 20))
      // Each window of each key has closed once.
      expect(driver.read(counts)).toHaveLength(1_200)
      expect(driver.count('late')).toBe(0)
    },
  )
})

describe('a table behind a table', () => {
  it.each(['update', 'close'] as const)(
    'takes its results, and closes by the clock (%s)',
    (emit) => {
      const flow = streamOf(orders, { name: 'sales' })
      const minutes = flow.window(tumbling('1m')).count('minutes', { emit, grace: '5m' })
      const hours = minutes.results.window(tumbling('1h')).count('hours', { emit: 'close' })
      hours.results.send(counts, Counted, ({ key, value }) => ({ key, count: value }))
      const driver = driveFlow(flow, { now: start + 59 * minuteMs })
      for (const minute of [0, 59, 58]) {
        const timestamp = start + minute * minuteMs
        driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 }, { timestamp })
      }
      driver.advance(5 * 3_600_000)
      expect(driver.count('late')).toBe(0)
      // The last minute is of the hour with which it ends.
      expect(driver.read(counts).map(({ data }) => data.count)).toEqual([3])
    },
  )
})

describe('sessions', () => {
  it.each([
    ['in order', [0, 5]],
    ['the later one first', [5, 0]],
  ])('that are a gap apart are one (%s)', (_, minutes) => {
    const flow = streamOf(orders, { name: 'sales' })
    const table = flow.window(session('5m')).count('counts', { grace: '1h' })
    table.results.send(counts, Counted, ({ key, value }) => ({ key, count: value }))
    const driver = driveFlow(flow, { now: start + 3_600_000 })
    for (const minute of minutes) {
      const timestamp = start + minute * minuteMs
      driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 }, { timestamp })
    }
    expect(driver.read(counts).map(({ data }) => data.count)).toEqual([1, 2])
  })
})

describe('a join', () => {
  it('sends nothing twice and loses no match when an order comes again', () => {
    const flow = join(orders, payments, {
      name: 'paid',
      within: '10m',
      grace: '1m',
      unique: 'both',
    })
    flow.send(paidOrders, OrderPaid, ({ left, right }) => ({
      ...{ orderId: left.data.orderId, orderEvent: left.id, paymentEvent: right.id },
    }))
    const driver = driveFlow(flow, { now: start })
    const order = () =>
      driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 }, { id: 'o', timestamp: start })
    order()
    driver.pipe(payments, PaymentCompleted, { orderId: 'a', cents: 1 }, { id: 'p' })
    order()
    driver.pipe(payments, PaymentCompleted, { orderId: 'a', cents: 1 }, { id: 'q' })
    expect(driver.read(paidOrders)).toHaveLength(1)
  })

  it('looks what a record meets when the time has moved by it', () => {
    const flow = join(orders, payments, { name: 'paid', within: '10m', grace: 0, unique: 'left' })
    flow.send(paidOrders, OrderPaid, ({ left, right }) => ({
      ...{ orderId: left.data.orderId, orderEvent: left.id, paymentEvent: right.id },
    }))
    const driver = driveFlow(flow, { now: start + 3_600_000 })
    const pay = (orderId: string, minute: number) =>
      driver.pipe(...([payments, PaymentCompleted, { orderId, cents: 1 }] as const), {
        timestamp: start + minute * minuteMs,
      })
    const order = (id: string, minute: number) =>
      driver.pipe(...([orders, OrderCreated, { orderId: 'a', cents: 1 }] as const), {
        id,
        timestamp: start + minute * minuteMs,
      })
    pay('b', 12)
    order('first', 0)
    // The first one has ended with the time of this one: it is no repetition.
    order('second', 11)
    pay('a', 12)
    expect(driver.read(paidOrders)).toMatchObject([{ data: { orderEvent: 'second' } }])
  })
})

describe('the time of a task', () => {
  it('is what it was after a restart, and what moved it is told', () => {
    const flow = join(orders, payments, { name: 'paid', within: '10m', grace: '1m' })
    const driver = driveFlow(flow, { now: start })
    driver.pipe(orders, OrderCreated, { orderId: 'a', cents: 1 })
    driver.advance(30 * minuteMs)
    const { time } = driver
    expect(time).toBeGreaterThan(start + 11 * minuteMs)
    expect(driver.steps.filter((step) => 'advancedTo' in step)).toEqual([{ advancedTo: time }])
    driver.restart()
    expect(driver.time).toBe(time)
  })
})
