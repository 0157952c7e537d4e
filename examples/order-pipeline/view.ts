import { createClient } from 'millrace/client'
import type { Client, ClientOptions } from 'millrace/client'
import { enriched, orders, paid, payments, shipped } from './contracts.ts'
import { enrichmentLetters } from './services.ts'

const topics = {
  orders: orders.name,
  payments: payments.name,
  enriched: enriched.name,
  shipped: shipped.name,
  paid: paid.name,
  'dead letters': `${orders.name}.dlq`,
  refused: enrichmentLetters(orders.name),
} as const
const groups = {
  fulfilment: orders.name,
  enrichment: orders.name,
  billing: payments.name,
  bookkeeping: payments.name,
  joining: orders.name,
} as const
/** Where the group has another name: a join's is that of its service and of itself. */
const groupIds: Readonly<Record<string, string>> = {
  bookkeeping: 'bookkeeping-paid-orders',
  joining: 'bookkeeping-paid-orders',
}

/** What stands in the topics, and how far each group is behind. */
export interface Glance {
  readonly written: Readonly<Record<keyof typeof topics, number>>
  readonly lag: Readonly<Record<keyof typeof groups, number>>
}

/** Looks at the cluster from outside, as anybody could. */
export class View implements AsyncDisposable {
  readonly #client: Client
  #last: { readonly glance: Glance; readonly atMs: number } | undefined

  constructor(kafka: ClientOptions) {
    this.#client = createClient(kafka)
  }

  async look(): Promise<Glance> {
    const admin = this.#client.admin()
    const names = Object.entries(topics)
    const ends = await Promise.all(names.map(async ([, topic]) => this.#ends(topic)))
    const written = Object.fromEntries(names.map(([name], index) => [name, sum(ends[index] ?? [])]))
    const lag: Record<string, number> = {}
    for (const [group, topic] of Object.entries(groups)) {
      const end = ends[names.findIndex(([, name]) => name === topic)] ?? []
      const committed = await admin.groups.offsets(groupIds[group] ?? group)
      const done = committed.map((each) =>
        each.topic === topic && each.error === undefined ? each.offset : 0,
      )
      lag[group] = sum(end) - sum(done)
    }
    return { written, lag } as Glance
  }

  /** One line of what has happened since the last one. */
  async line(): Promise<string> {
    const glance = await this.look()
    const nowMs = performance.now()
    const last = this.#last
    const seconds = last === undefined ? 1 : (nowMs - last.atMs) / 1_000
    const rate = (name: keyof Glance['written']) => {
      const before = last?.glance.written[name] ?? 0
      return `${Math.round((glance.written[name] - before) / seconds)}/s`
    }
    this.#last = { glance, atMs: nowMs }
    const { written, lag } = glance
    return [
      `orders ${written.orders} (${rate('orders')})`,
      `enriched ${rate('enriched')}, ${lag.enrichment} behind`,
      `shipped ${rate('shipped')}, ${lag.fulfilment} behind`,
      `payments ${rate('payments')}, ${lag.billing} behind`,
      `joined ${rate('paid')}, ${lag.bookkeeping + lag.joining} behind`,
      `dead letters ${written['dead letters']}`,
    ].join(' · ')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }

  async #ends(topic: string): Promise<number[]> {
    const admin = this.#client.admin()
    const { partitions } = await admin.topics.describe(topic)
    const all = partitions.map(({ partition }) => ({ topic, partition }))
    const consumer = this.#client.consumer({ offsetReset: 'none', isolation: 'read_uncommitted' })
    const ends = await consumer.endOffsets(all)
    await consumer.close()
    return ends.map(({ offset }) => offset)
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
