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
  /** Records that are no orders at all. */
  malformed: number
  /** Orders that nobody can ship. */
  blocked: number
}

const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
const tickMs = 50

/** Writes orders and payments as the world does: late, twice, broken, and sometimes for nobody. */
export async function produce(
  kafka: ServiceOptions['kafka'],
  rate: number,
  signal: AbortSignal,
): Promise<Produced> {
  await using producer = createProducer({
    ...{ kafka, name: 'shop', topics: [orders, payments], log: () => undefined },
  })
  const produced: Produced = { orders: 0, payments: 0, duplicates: 0, malformed: 0, blocked: 0 }
  const numbers = new Map<string, number>()
  const newOrder = () => {
    const isBlocked = Math.random() < 0.005
    const userId = isBlocked ? blockedUser : (users[Math.floor(Math.random() * users.length)] ?? '')
    const number = numbers.get(userId) ?? 0
    numbers.set(userId, number + 1)
    const price = Math.ceil(Math.random() * 60)
    const product = {
      productId: `p-${Math.ceil(Math.random() * 50)}`,
      quantity: 1 + (number % 3),
      price,
    }
    const totalAmount = product.quantity * price
    if (isBlocked) produced.blocked++
    return { orderId: `${userId}-${number}`, userId, number, products: [product], totalAmount }
  }
  for (let due = 0; !signal.aborted;) {
    due += (rate * tickMs) / 1_000
    const count = Math.floor(due)
    due -= count
    const made = Array.from({ length: count }, newOrder)
    const outgoing = made.map((data) => ({
      event: OrderCreated,
      data,
      options: { id: `order-${data.orderId}`, timestamp: Date.now() },
    }))
    await producer.publishMany(outgoing)
    const again = outgoing.filter(() => Math.random() < 0.01)
    if (again.length > 0) await producer.publishMany(again)
    const paid = made.filter(() => Math.random() < 0.9)
    await producer.publishMany(
      paid.map(({ orderId, totalAmount }) => ({
        event: PaymentCompleted,
        data: { paymentId: `paid-${orderId}`, orderId, amount: totalAmount },
      })),
    )
    if (Math.random() < 0.1) {
      await producer.send({ topic: orders.name, key: 'nobody', value: '{"this is": no order' })
      produced.malformed++
    }
    produced.orders += made.length
    produced.duplicates += again.length
    produced.payments += paid.length
    await sleep(tickMs)
  }
  return produced
}
