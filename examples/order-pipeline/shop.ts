import { setTimeout as sleep } from 'node:timers/promises'
import { createProducer } from 'millrace'
import type { DataOf } from 'millrace'
import { createClient } from 'millrace/client'
import type { ClientOptions } from 'millrace/client'
import { OrderCreated, orders, PaymentCompleted, payments } from './contracts.ts'
import { blockedUser } from './fulfilment.ts'

/** What was put in, as the shop knows it. */
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

export interface ShopOptions {
  readonly kafka: ClientOptions
  /** Orders a second. */
  readonly rate: number
  /** How long it is going to be open. */
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
const hourMs = 3_600_000
const dayMs = 24 * hourMs

const chance = (probability: number) => Math.random() < probability
const upTo = (ms: number) => Math.floor(Math.random() * ms)

/** Writes orders and payments as the world does: out of order, late, twice, broken, and sometimes for nobody. */
export async function openShop({ kafka, rate, lastsMs, signal }: ShopOptions): Promise<Produced> {
  await using producer = createProducer({
    ...{ kafka, name: 'shop', topics: [orders, payments], log: () => undefined },
  })
  const produced: Produced = {
    ...{ orders: 0, payments: 0, duplicates: 0, malformed: 0, blocked: 0, late: 0, stray: 0 },
  }
  const newOrder = orderMaker(produced)
  let now = await openingTime(kafka)
  // The shop's time passes quickly, so that windows of a day close within seconds; but it never reaches ours.
  const haste = Math.min(hourMs / 2 / tickMs, (Date.now() - now) / 2 / lastsMs)
  let unpaid: Payment[] = []
  const openedMs = performance.now()
  let lastMs = openedMs
  while (!signal.aborted) {
    await sleep(tickMs)
    const sinceMs = performance.now() - lastMs
    lastMs += sinceMs
    // A shop that was held up goes on where it was.
    now += Math.floor(Math.min(sinceMs, 5 * tickMs) * haste)
    const due = Math.floor(((lastMs - openedMs) * rate) / 1_000) - produced.orders
    // Up to half an hour earlier than it is told: the disorder of many shops.
    const outgoing = Array.from({ length: due }, newOrder).map((data) => ({
      event: OrderCreated,
      data,
      options: { id: `order-${data.orderId}`, timestamp: now - upTo(hourMs / 2) },
    }))
    for (const { data, options } of outgoing) {
      unpaid.push(...paymentsOf(data, options.timestamp, produced))
    }
    const again = outgoing.filter(() => chance(0.01))
    const told = unpaid.filter(({ toldAt }) => toldAt <= now)
    unpaid = unpaid.filter(({ toldAt }) => toldAt > now)
    await producer.publishMany([...outgoing, ...again, ...told.map(paymentEvent)])
    produced.duplicates += again.length
    produced.orders += due
    produced.payments += told.length
    if (!chance(0.1)) continue
    const value = brokenValue()
    await producer.send({ topic: orders.name, key: 'nobody', value, timestamp: now })
    produced.malformed++
  }
  return produced
}

/** Years ago; or where an earlier run has left off, so that nothing of this one is late. */
async function openingTime(kafka: ClientOptions): Promise<number> {
  await using client = createClient(kafka)
  const { offsets } = client.admin()
  const topics = [orders, payments].map(({ name }) => offsets.findInTopic(name, 'max-timestamp'))
  const told = (await Promise.all(topics)).flat().map((found) => {
    if (found.error !== undefined) throw found.error
    return (found.timestamp ?? 0) + hourMs
  })
  return Math.max(Date.now() - 20 * 365 * dayMs, ...told)
}

/** Makes orders whose numbers count up, user by user; other ones than in an earlier run on the same topics. */
function orderMaker(produced: Produced): () => DataOf<typeof OrderCreated> {
  const shop = Date.now().toString(36)
  const numbers = new Map<string, number>()
  return () => {
    const isBlocked = chance(0.005)
    const userId = isBlocked ? blockedUser : (users[upTo(users.length)] ?? '')
    const number = numbers.get(userId) ?? 0
    numbers.set(userId, number + 1)
    const quantity = 1 + (number % 3)
    const price = 1 + upTo(60)
    if (isBlocked) produced.blocked++
    return {
      ...{ orderId: `${userId}-${shop}-${number}`, userId, number },
      products: [{ productId: `p-${upTo(50)}`, quantity, price }],
      totalAmount: quantity * price,
    }
  }
}

/** Most orders are paid within some hours, a few even before they are told; some too late, some never. */
function paymentsOf(
  { orderId, userId, totalAmount: amount }: DataOf<typeof OrderCreated>,
  orderedAt: number,
  produced: Produced,
): Payment[] {
  const payment = { orderId, userId, amount }
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
  const data = { paymentId, orderId, userId, amount }
  return { event: PaymentCompleted, data, options: { id: paymentId, timestamp } }
}

/** No JSON, or far too much of it. */
function brokenValue(): string {
  return chance(0.5) ? '{"this is": no order' : JSON.stringify({ orderId: 'x'.repeat(100_000) })
}
