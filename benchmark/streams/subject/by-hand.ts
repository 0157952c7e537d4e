import { Ajv } from 'ajv'
import { envelopeSchema } from '../../runtime/event.ts'
import { priced, pricedType } from '../shop.ts'
import type { OrderPlaced } from '../shop.ts'

const ajv = new Ajv()
const pricedSchema = {
  ...envelopeSchema,
  properties: { ...envelopeSchema.properties, type: { const: pricedType } },
}

/** So many records are a transaction. */
export const transactionRecords = 500

export interface OutgoingMessage {
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

interface Envelope {
  readonly id: string
  readonly timestamp: number
  readonly data: OrderPlaced
}

/** What is done by hand for each record: read, checked, changed, checked, written. */
export function makeTransform(): (value: Buffer) => OutgoingMessage {
  const check = ajv.compile(envelopeSchema)
  const checkPriced = ajv.compile(pricedSchema)
  return (value) => {
    const event = JSON.parse(value.toString()) as Envelope
    if (!check(event)) throw new Error(ajv.errorsText(check.errors))
    const { id, timestamp, data } = event
    const made = { id: `${id}-priced`, type: pricedType, timestamp, data: priced(data) }
    if (!checkPriced(made)) throw new Error(ajv.errorsText(checkPriced.errors))
    return {
      key: data.orderId,
      value: JSON.stringify(made),
      headers: {
        'event-type': pricedType,
        'content-type': 'application/json',
        'schema-version': '1',
        'source-service': 'bench',
        'correlation-id': id,
      },
    }
  }
}
