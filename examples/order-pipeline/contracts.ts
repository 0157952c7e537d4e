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

const partitions = 6

export const orders = defineTopic('orders.events.v1', {
  events: [OrderCreated],
  key: ({ data }) => data.userId,
  partitions,
})

export const payments = defineTopic('payments.events.v1', {
  events: [PaymentCompleted],
  key: ({ data }) => data.orderId,
  partitions,
})

export const enriched = defineTopic('orders.enriched.v1', {
  events: [OrderEnriched],
  key: ({ data }) => data.userId,
  partitions,
})

export const shipped = defineTopic('orders.shipped.v1', {
  events: [OrderShipped],
  key: ({ data }) => data.userId,
  partitions,
})
