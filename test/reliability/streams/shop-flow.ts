import { defineEvent, defineTopic, Type } from '../../../src/contract/index.ts'
import { hopping, join, session, tumbling } from '../../../src/stream/index.ts'
import type { JoinFlow, JoinType, Table } from '../../../src/stream/index.ts'

/** How the flow of the shop is made. */
export interface ShopOptions {
  readonly withinMs: number
  readonly graceMs: number
  readonly idleAfterMs: number
  readonly type: JoinType
  readonly unique: 'left' | 'right' | 'both' | undefined
  /** Whether payments have another key, and are written again under that of their order. */
  readonly isRekeyed: boolean
  /** Where events go that came to nothing. */
  readonly leftOvers: 'letters' | 'events'
  readonly windowMs: number
  /** Whether a window ends when nothing came for `windowMs`. */
  readonly hasSessions: boolean
  /** Where windows overlap: how far apart they begin. */
  readonly everyMs: number | undefined
  readonly emit: 'update' | 'close'
  readonly tableGraceMs: number
}

const amount = Type.Object({
  orderId: Type.String(),
  cents: Type.Integer(),
  note: Type.Optional(Type.String()),
})
const idOrNull = Type.Union([Type.String(), Type.Null()])

export const OrderCreated = defineEvent('ORDER_CREATED', { data: amount })
export const PaymentCompleted = defineEvent('PAYMENT_COMPLETED', { data: amount })
export const OrderPaid = defineEvent('ORDER_PAID', {
  data: Type.Object({ orderId: Type.String(), left: idOrNull, right: idOrNull }),
})
export const LeftOver = defineEvent('LEFT_OVER', {
  data: Type.Object({ why: Type.String(), side: Type.String(), id: Type.String() }),
})
export const Total = defineEvent('TOTAL', {
  data: Type.Object({ start: Type.Integer(), cents: Type.Integer() }),
})
export const NotTotalled = defineEvent('NOT_TOTALLED', {
  data: Type.Object({ left: idOrNull, right: idOrNull }),
})

export const orders = defineTopic('orders', {
  events: [OrderCreated],
  key: ({ data }) => data.orderId,
})
const payments = defineTopic('payments', {
  events: [PaymentCompleted],
  key: ({ data }) => data.orderId,
})
/** The key of a payment is of no use here. */
const loosePayments = defineTopic('loose-payments', {
  events: [PaymentCompleted],
  key: ({ data }) => `payment of ${data.cents}`,
})
export const paid = defineTopic('paid', { events: [OrderPaid], key: ({ data }) => data.orderId })
export const leftOvers = defineTopic('left-overs', {
  events: [LeftOver],
  key: ({ data }) => data.id,
})
export const totals = defineTopic('totals', { events: [Total], key: () => '' })
export const notTotalled = defineTopic('not-totalled', { events: [NotTotalled], key: () => '' })

export const written = [paid, leftOvers, totals, notTotalled]
export const flowName = 'paid'
export const serviceName = 'shop'
export const groupId = `${serviceName}-${flowName}`
export const changelogName = `${groupId}.changelog`

/** The contract of the payments that a shop reads. */
export const paymentsOf = ({ isRekeyed }: ShopOptions) => (isRekeyed ? loosePayments : payments)

/** What is written again under another key is what is judged: nothing of it may be deleted when it is worked. */
export const copiesConfigs = {
  'cleanup.policy': 'compact',
  'min.compaction.lag.ms': '1000000000000',
}

/** The topics that its tasks read. */
export function inputsOf(options: ShopOptions): [string, string] {
  const { name } = paymentsOf(options)
  return [orders.name, options.isRekeyed ? `${groupId}.${name}.by-key` : name]
}

interface Amount {
  readonly id: string
  readonly data: { readonly orderId: string; readonly cents: number }
}
interface Pair {
  readonly left: Amount | undefined
  readonly right: Amount | undefined
}

export interface ShopFlow {
  readonly flow: JoinFlow<Amount, Amount, Pair>
  readonly table: Table<number, Pair>
}

function windowingOf({ windowMs, everyMs, hasSessions }: ShopOptions) {
  if (hasSessions) return session(windowMs)
  return everyMs === undefined ? tumbling(windowMs) : hopping(windowMs, everyMs)
}

/** Orders with their payments, and how much it was in which time. */
export function shopFlow(options: ShopOptions): ShopFlow {
  const { withinMs, graceMs, idleAfterMs, type, unique, isRekeyed } = options
  const flow = join(orders, paymentsOf(options), {
    ...{ name: flowName, within: withinMs, grace: graceMs, idleAfter: idleAfterMs },
    type: type as 'outer',
    ...(unique !== undefined && { unique }),
    ...(isRekeyed && { on: { right: ({ data }) => data.orderId } }),
  })
  flow.send(paid, OrderPaid, ({ left, right }, { key }) => ({
    orderId: key,
    ...{ left: left?.id ?? null, right: right?.id ?? null },
  }))
  if (options.leftOvers === 'events') {
    for (const why of ['unmatched', 'late'] as const) {
      flow[why].send(leftOvers, LeftOver, ({ side, event }) => ({ why, side, id: event.id }))
    }
  }
  const { emit, tableGraceMs } = options
  const table = flow
    .window(windowingOf(options))
    .sum('totals', ({ left, right }) => (left ?? right)?.data.cents ?? 0, {
      ...{ emit, grace: tableGraceMs, keep: '1h' },
    })
  table.results.send(
    totals,
    Total,
    ({ window, value }) => ({ start: window?.start ?? -1, cents: value }),
    { key: ({ key }) => key },
  )
  table.late.send(
    notTotalled,
    NotTotalled,
    ({ left, right }) => ({ left: left?.id ?? null, right: right?.id ?? null }),
    { key: (_, { key }) => key },
  )
  return { flow, table }
}
