import { defineEvent, defineTopic, Type } from 'millrace'

/** `number` counts the orders of a user: it shows whether they stay in order. */
const ofOrder = {
  orderId: Type.String(),
  userId: Type.String(),
  number: Type.Integer({ minimum: 0 }),
}

const ofPayment = {
  paymentId: Type.String(),
  orderId: Type.String(),
  userId: Type.String(),
  amount: Type.Number({ minimum: 0 }),
}

/** A user puts an order in. */
export const OrderCreated = defineEvent('ORDER_CREATED', {
  data: Type.Object({
    ...ofOrder,
    products: Type.Array(
      Type.Object({
        productId: Type.String(),
        quantity: Type.Integer({ minimum: 1 }),
        price: Type.Number({ minimum: 0 }),
      }),
      { minItems: 1 },
    ),
    totalAmount: Type.Number({ minimum: 0 }),
  }),
})

export const PaymentCompleted = defineEvent('PAYMENT_COMPLETED', { data: Type.Object(ofPayment) })

export const OrderEnriched = defineEvent('ORDER_ENRICHED', {
  data: Type.Object({
    ...ofOrder,
    items: Type.Integer(),
    totalAmount: Type.Number(),
    isLarge: Type.Boolean(),
  }),
})

export const OrderShipped = defineEvent('ORDER_SHIPPED', { data: Type.Object(ofOrder) })

/** A payment has come for an order. */
export const OrderPaid = defineEvent('ORDER_PAID', { data: Type.Object(ofPayment) })

/** What a minute has brought in, as far as one partition knows. */
export const RevenueCounted = defineEvent('REVENUE_COUNTED', {
  data: Type.Object({ minute: Type.Integer(), amount: Type.Number() }),
})

// The shop's days pass in seconds: by their own time, its records are old when they are written.
const common = { partitions: 6, retention: 'forever' } as const
const byUser = {
  ...common,
  key: ({ data }: { readonly data: { readonly userId: string } }) => data.userId,
}

export const orders = defineTopic('orders.events.v1', {
  events: [OrderCreated],
  limits: { valueBytesMax: 64 * 1024 },
  ...byUser,
})
export const payments = defineTopic('payments.events.v1', { events: [PaymentCompleted], ...byUser })
export const enriched = defineTopic('orders.enriched.v1', { events: [OrderEnriched], ...byUser })
export const shipped = defineTopic('orders.shipped.v1', { events: [OrderShipped], ...byUser })
export const paid = defineTopic('orders.paid.v1', { events: [OrderPaid], ...byUser })
export const revenueByMinute = defineTopic('revenue.by-minute.v1', {
  events: [RevenueCounted],
  key: ({ data }) => String(data.minute),
  ...common,
})

/** Each service has topics of its own for what it gives up. */
export const lettersOf = (service: string) => (topic: string) => `${topic}.${service}.dlq`

/** All of them. */
export const letterTopics = [
  ...['fulfilment', 'enrichment', 'bookkeeping'].map((name) => lettersOf(name)(orders.name)),
  ...['billing', 'bookkeeping'].map((name) => lettersOf(name)(payments.name)),
]
