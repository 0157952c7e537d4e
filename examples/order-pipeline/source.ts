import { setTimeout as sleep } from 'node:timers/promises'
import { createProducer } from 'millrace'
import type { ServiceOptions } from 'millrace'
import { OrderCreated, orders, PaymentCompleted, payments } from './contracts.ts'
import { blockedUser } from './services.ts'

/** What was put in, as the source knows it. */
export interface Produced {
  orders: number
  payments: number
  /** Orders that came a second time, with the same id and bytes. */
  duplicates: number
  /** Records that are no orders at all, or too large to be any. */
  malformed: number
  /** Orders that nobody can ship. */
  blocked: number
  /** Payments that came days after their time. */
  late: number
  /** Payments for which there is no order. */
  stray: number
}

export interface SourceOptions {
  readonly kafka: ServiceOptions['kafka']
  /** Orders a second. */
  readonly rate: number
  /** How long it is going to run. */
  readonly lastsMs: number
  readonly signal: AbortSignal
}

interface Payment {
  readonly orderId: string
  readonly userId: string
  readonly amount: number
  /** When it was made, by the shop's time, and when it is told. */
  readonly timestamp: number
  readonly toldAt: number
}

const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
const tickMs = 50
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const yearMs = 365 * dayMs

const chance = (probability: number) => Math.random() < probability
const upTo = (ms: number) => Math.floor(Math.random() * ms)

/** Writes orders and payments as the world does: out of order, late, twice, broken, and sometimes for nobody. */
export async function produce({ kafka, rate, lastsMs, signal }: SourceOptions): Promise<Produced> {
  await using producer = createProducer({
    ...{ kafka, name: 'shop', topics: [orders, payments], log: () => undefined },
  })
  const produced: Produced = {
    ...{ orders: 0, payments: 0, duplicates: 0, malformed: 0, blocked: 0, late: 0, stray: 0 },
  }
  const newOrder = orderMaker(produced)
  // It ends before today: what is far ahead of the clock is refused.
  let now = Date.now() - 2 * yearMs
  const hasteMs = Math.min(hourMs / 2, Math.floor(yearMs / (lastsMs / tickMs)))
  let unpaid: Payment[] = []
  for (let due = 0; !signal.aborted;) {
    due += (rate * tickMs) / 1_000
    const count = Math.floor(due)
    due -= count
    // The shop's time passes by turns, and quickly: windows of a day close within seconds.
    now += hasteMs
    // Up to half an hour earlier than it is told: the disorder of many shops.
    const outgoing = Array.from({ length: count }, newOrder).map((data) => ({
      event: OrderCreated,
      data,
      options: { id: `order-${data.orderId}`, timestamp: now - upTo(hourMs / 2) },
    }))
    unpaid.push(
      ...outgoing.flatMap(({ data, options }) => paymentsOf(data, options.timestamp, produced)),
    )
    const again = outgoing.filter(() => chance(0.01))
    const told = unpaid.filter(({ toldAt }) => toldAt <= now)
    unpaid = unpaid.filter(({ toldAt }) => toldAt > now)
    await producer.publishMany([...outgoing, ...again, ...told.map(paymentEvent)])
    produced.duplicates += again.length
    produced.orders += count
    produced.payments += told.length
    if (chance(0.1)) {
      await producer.send({ topic: orders.name, key: 'nobody', value: brokenValue() })
      produced.malformed++
    }
    await sleep(tickMs)
  }
  return produced
}

/** Makes orders whose numbers count up, user by user; other ones than in an earlier run on the same topics. */
function orderMaker(produced: Produced) {
  const shop = Date.now().toString(36)
  const numbers = new Map<string, number>()
  return () => {
    const isBlocked = chance(0.005)
    const userId = isBlocked ? blockedUser : (users[Math.floor(Math.random() * users.length)] ?? '')
    const number = numbers.get(userId) ?? 0
    numbers.set(userId, number + 1)
    const price = Math.ceil(Math.random() * 60)
    const productId = `p-${Math.ceil(Math.random() * 50)}`
    const product = { productId, quantity: 1 + (number % 3), price }
    if (isBlocked) produced.blocked++
    const totalAmount = product.quantity * price
    return {
      orderId: `${userId}-${shop}-${number}`,
      userId,
      number,
      products: [product],
      totalAmount,
    }
  }
}

/** Most orders are paid within some hours, a few even before they are told; some too late, some never. */
function paymentsOf(
  {
    orderId,
    userId,
    totalAmount,
  }: { readonly orderId: string; readonly userId: string; readonly totalAmount: number },
  orderedAt: number,
  produced: Produced,
): Payment[] {
  const payment = { orderId, userId, amount: totalAmount }
  if (chance(0.05)) return []
  if (chance(0.005)) {
    produced.stray++
    const timestamp = orderedAt + upTo(hourMs)
    return [{ ...payment, orderId: `nobody-${orderId}`, timestamp, toldAt: timestamp }]
  }
  if (chance(0.01)) {
    // Lost for four days on its way.
    produced.late++
    return [{ ...payment, timestamp: orderedAt + hourMs, toldAt: orderedAt + 4 * dayMs }]
  }
  const timestamp = orderedAt + (chance(0.02) ? 30 * hourMs : upTo(6 * hourMs) - hourMs / 4)
  return [{ ...payment, timestamp, toldAt: timestamp }]
}

function paymentEvent({ orderId, userId, amount, timestamp }: Payment) {
  const paymentId = `paid-${orderId}`
  return {
    event: PaymentCompleted,
    data: { paymentId, orderId, userId, amount },
    options: { id: paymentId, timestamp },
  }
}

/** No JSON, or far too much of it. */
function brokenValue(): string {
  return chance(0.5) ? '{"this is": no order' : JSON.stringify({ orderId: 'x'.repeat(100_000) })
}
