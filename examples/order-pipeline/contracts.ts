import { defineEvent, defineTopic, Type } from 'millrace'

/** A user puts an order in. `number` counts the orders of the user: it shows whether they stay in order. */
export const OrderCreated = defineEvent('ORDER_CREATED', {
  data: Type.Object({
    orderId: Type.String(),
    userId: Type.String(),
    number: Type.Integer({ minimum: 0 }),
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

export const PaymentCompleted = defineEvent('PAYMENT_COMPLETED', {
  data: Type.Object({
    paymentId: Type.String(),
    orderId: Type.String(),
    userId: Type.String(),
    amount: Type.Number({ minimum: 0 }),
  }),
})

export const OrderEnriched = defineEvent('ORDER_ENRICHED', {
  data: Type.Object({
    orderId: Type.String(),
    userId: Type.String(),
    number: Type.Integer(),
    items: Type.Integer(),
    totalAmount: Type.Number(),
    isLarge: Type.Boolean(),
  }),
})

export const OrderShipped = defineEvent('ORDER_SHIPPED', {
  data: Type.Object({ orderId: Type.String(), userId: Type.String(), number: Type.Integer() }),
})

/** A payment has come for an order. */
export const OrderPaid = defineEvent('ORDER_PAID', {
  data: Type.Object({
    orderId: Type.String(),
    paymentId: Type.String(),
    userId: Type.String(),
    amount: Type.Number(),
  }),
})

/** What a minute has brought in, as far as one partition knows. */
export const RevenueCounted = defineEvent('REVENUE_COUNTED', {
  data: Type.Object({ minute: Type.Integer(), amount: Type.Number() }),
})

const partitions = 6
// The shop's days pass in seconds: by their own time, its records are old when they are written.
const retention = 'forever'

export const orders = defineTopic('orders.events.v1', {
  events: [OrderCreated],
  limits: { valueBytesMax: 64 * 1024 },
  key: ({ data }) => data.userId,
  partitions,
  retention,
})

export const payments = defineTopic('payments.events.v1', {
  events: [PaymentCompleted],
  key: ({ data }) => data.userId,
  partitions,
  retention,
})

export const enriched = defineTopic('orders.enriched.v1', {
  events: [OrderEnriched],
  key: ({ data }) => data.userId,
  partitions,
  retention,
})

export const shipped = defineTopic('orders.shipped.v1', {
  events: [OrderShipped],
  key: ({ data }) => data.userId,
  partitions,
  retention,
})

export const paid = defineTopic('orders.paid.v1', {
  events: [OrderPaid],
  key: ({ data }) => data.userId,
  partitions,
  retention,
})

export const revenueByMinute = defineTopic('revenue.by-minute.v1', {
  events: [RevenueCounted],
  key: ({ data }) => String(data.minute),
  partitions,
  retention,
})
