/** An event as services send them: written as JSON with its envelope it has 350 B. */
export interface OrderPlaced {
  readonly orderId: string
  readonly customerId: string
  readonly amountCents: number
  readonly currency: string
  readonly placedAt: string
  readonly items: readonly { readonly sku: string; readonly quantity: number }[]
  readonly note: string
}

export const eventType = 'order.placed'

export const dataSchema = {
  type: 'object',
  required: ['orderId', 'customerId', 'amountCents', 'currency', 'placedAt', 'items', 'note'],
  properties: {
    orderId: { type: 'string', minLength: 1 },
    customerId: { type: 'string', minLength: 1 },
    amountCents: { type: 'integer', minimum: 0 },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    placedAt: { type: 'string' },
    items: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['sku', 'quantity'],
        properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
      },
    },
    note: { type: 'string' },
  },
}

/** What those check who do it by hand: the envelope with the data in it. */
export const envelopeSchema = {
  type: 'object',
  required: ['id', 'type', 'timestamp', 'data'],
  properties: {
    id: { type: 'string', minLength: 1 },
    type: { const: eventType },
    timestamp: { type: 'integer', minimum: 0 },
    data: dataSchema,
  },
}

export function makeOrder(index: number, keys: number): OrderPlaced {
  return {
    orderId: `order-${String(index % keys).padStart(6, '0')}`,
    customerId: `customer-${String(index % 997).padStart(4, '0')}`,
    amountCents: 100 + (index % 90_000),
    currency: 'EUR',
    placedAt: '2026-01-31T12:00:00.000Z',
    items: [{ sku: `sku-${index % 89}`, quantity: 1 + (index % 5) }],
    note: 'leave it with the neighbour, 2nd floor, and ring twice, with thanks to you',
  }
}
