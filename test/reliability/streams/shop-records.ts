import { encodeEvent } from '../../../src/contract/index.ts'
import type { EncodedRecord } from '../../../src/contract/index.ts'
import { orders, OrderCreated, PaymentCompleted, paymentsOf } from './shop-flow.ts'
import type { ShopOptions } from './shop-flow.ts'

/** What orders and payments there are, and how well they come. */
export interface SourceShape {
  readonly withinMs: number
  readonly graceMs: number
  readonly orders: number
  /** The number of the first order. @defaultValue 0 */
  readonly firstNumber?: number
  readonly keys: number
  /** How long they come. */
  readonly lastMs: number
  /** How far behind their time they come: below the grace, or now and then far beyond. */
  readonly disorder: 'below' | 'beyond'
  /** One record in so many cannot be worked. */
  readonly badOneIn: number
}

/** What a record is, as its header `kind` says: its judge need not guess. */
export type RecordKind = 'good' | 'oversized' | 'malformed' | 'keyless' | 'ahead'

/** A record that is sent, and when. */
export interface PlannedRecord {
  readonly atMs: number
  readonly record: EncodedRecord
}

interface Random {
  integer(below: number): number
}

interface Planned {
  readonly side: 0 | 1
  readonly id: string
  readonly key: string
  readonly timeMs: number
  readonly cents: number
  readonly kind: RecordKind
}

const hourMs = 3_600_000
const badKinds: readonly RecordKind[] = ['oversized', 'oversized', 'malformed', 'keyless', 'ahead']
/** More than a small changelog takes. */
const oversizedNote = 'x'.repeat(1_500)

/** Orders and payments: some without the other, some twice, some that nobody can work; in the order in which they are sent. */
export function planRecords(
  shape: SourceShape,
  shop: ShopOptions,
  random: Random,
  beginsMs: number,
): PlannedRecord[] {
  const { withinMs, graceMs, keys, lastMs, disorder, badOneIn, firstNumber = 0 } = shape
  const planned: { readonly atMs: number; readonly event: Planned }[] = []
  const delayMs = () => {
    const far = disorder === 'beyond' && random.integer(8) === 0
    return random.integer(Math.max(1, far ? withinMs + 3 * graceMs + 1_000 : graceMs))
  }
  const add = (side: 0 | 1, number: number, timeMs: number, cents: number) => {
    const isBad = random.integer(badOneIn) === 0
    const kind = isBad ? (badKinds[random.integer(badKinds.length)] as RecordKind) : 'good'
    const key = `o-${number % keys}`
    const id = `${side === 0 ? 'order' : 'payment'}-${number}-${cents}`
    const event: Planned = { side, id, key, timeMs, cents, kind }
    planned.push({ atMs: timeMs + delayMs(), event })
    // Some come again, as they were.
    if (random.integer(6) === 0) planned.push({ atMs: timeMs + delayMs(), event })
  }
  for (let number = firstNumber; number < firstNumber + shape.orders; number++) {
    const timeMs = random.integer(lastMs)
    const cents = 1 + random.integer(1_000)
    if (random.integer(8) > 0) add(0, number, timeMs, cents)
    if (random.integer(8) > 0) {
      add(1, number, timeMs + random.integer(Math.ceil(withinMs * 1.3)), cents)
    }
  }
  return planned
    .sort((one, other) => one.atMs - other.atMs)
    .map(({ atMs, event }) => ({ atMs, record: recordOf(event, shop, beginsMs) }))
}

function recordOf(
  { side, id, key, timeMs, cents, kind }: Planned,
  shop: ShopOptions,
  beginsMs: number,
): EncodedRecord {
  const timestamp = beginsMs + timeMs + (kind === 'ahead' ? 10 * hourMs : 0)
  const data = { orderId: key, cents, ...(kind === 'oversized' && { note: oversizedNote }) }
  const options = { id, timestamp, headers: { kind } }
  const record = (
    side === 0
      ? encodeEvent(orders, OrderCreated, data, options)
      : encodeEvent(paymentsOf(shop), PaymentCompleted, data, options)
  ) as EncodedRecord
  if (kind === 'malformed') return { ...record, value: Buffer.from('{ not JSON') }
  // The broker itself takes no record that is so far ahead; of the event it knows nothing.
  if (kind === 'ahead') return { ...record, timestamp: beginsMs + timeMs }
  return kind === 'keyless' ? { ...record, key: null } : record
}
