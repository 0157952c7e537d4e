import { dataSchema, eventType, makeOrder } from '../runtime/event.ts'
import type { OrderPlaced } from '../runtime/event.ts'

/*
 * Orders and payments as services send them, of about 350 bytes, and what is made of them.
 */

export { dataSchema, eventType, makeOrder }
export type { OrderPlaced }

export const pricedType = 'order.priced'
export const paymentType = 'payment.completed'
export const paidType = 'order.paid'

export interface PaymentCompleted {
  readonly paymentId: string
  readonly orderId: string
  readonly amountCents: number
  readonly currency: string
  readonly method: string
  readonly paidAt: string
  readonly note: string
}

export const paymentSchema = {
  type: 'object',
  required: ['paymentId', 'orderId', 'amountCents', 'currency', 'method', 'paidAt', 'note'],
  properties: {
    paymentId: { type: 'string', minLength: 1 },
    orderId: { type: 'string', minLength: 1 },
    amountCents: { type: 'integer', minimum: 0 },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    method: { type: 'string' },
    paidAt: { type: 'string' },
    note: { type: 'string' },
  },
}

export interface OrderPaid {
  readonly orderId: string
  readonly paymentId: string
  readonly customerId: string
  readonly amountCents: number
}

export const paidSchema = {
  type: 'object',
  required: ['orderId', 'paymentId', 'customerId', 'amountCents'],
  properties: {
    orderId: { type: 'string' },
    paymentId: { type: 'string' },
    customerId: { type: 'string' },
    amountCents: { type: 'integer' },
  },
}

/** What the transform does. */
export function priced(order: OrderPlaced): OrderPlaced {
  return {
    ...order,
    amountCents: Math.round(order.amountCents * 1.19),
    note: order.note.toUpperCase(),
  }
}

export function paid(order: OrderPlaced, payment: PaymentCompleted): OrderPaid {
  const { orderId, customerId } = order
  const { paymentId, amountCents } = payment
  return { orderId, paymentId, customerId, amountCents }
}

/** A record of an event, as our services write it and others can read it. */
export interface ShopRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

/** How far behind its order a payment is, in event time. */
const payLaterMs = 60_000

/** The order of this number: each has a key of its own, or one of some, and comes a millisecond after the one before. */
export function orderRecord(
  topic: string,
  index: number,
  firstMs: number,
  keyCount = Infinity,
): ShopRecord {
  const order = { ...makeOrder(index, Infinity), orderId: orderId(index % keyCount) }
  return record(topic, eventType, order.orderId, `o-${index}`, firstMs + index, order)
}

/** The payment of this number's order. */
export function paymentRecord(topic: string, index: number, firstMs: number): ShopRecord {
  const { amountCents, note } = makeOrder(index, Infinity)
  const payment: PaymentCompleted = {
    paymentId: `payment-${index}`,
    orderId: orderId(index),
    amountCents,
    currency: 'EUR',
    method: 'transfer',
    paidAt: '2026-01-31T12:01:00.000Z',
    note,
  }
  const time = firstMs + payLaterMs + index
  return record(topic, paymentType, payment.orderId, `p-${index}`, time, payment)
}

function orderId(index: number): string {
  return `order-${String(index).padStart(8, '0')}`
}

function record(
  topic: string,
  type: string,
  key: string,
  id: string,
  timestamp: number,
  data: object,
): ShopRecord {
  const headers = {
    'event-type': type,
    'content-type': 'application/json',
    'schema-version': '1',
    'source-service': 'bench',
    'correlation-id': id,
  }
  return { topic, key, value: JSON.stringify({ id, type, timestamp, data }), timestamp, headers }
}
