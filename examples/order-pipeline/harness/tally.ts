import { createClient } from 'millrace/client'
import type { Client, ClientOptions, Consumer, FetchedBatch } from 'millrace/client'
import {
  enriched,
  letterTopics,
  orders,
  paid,
  payments,
  revenueByMinute,
  shipped,
} from '../contracts.ts'

/** What stands in the topics since the tally began, as far as it is committed. */
export interface Counted {
  readonly orders: number
  readonly payments: number
  readonly shipped: number
  readonly enriched: number
  /** Orders and payments that were joined. */
  readonly paid: number
  /** Orders and payments that may still find each other. */
  readonly waiting: number
  readonly revenue: number
  /** Minutes that have closed. */
  readonly minutes: number
  /** How often each reason was given for a dead letter. */
  readonly letters: ReadonlyMap<string, number>
}

const names = {
  orders: orders.name,
  payments: payments.name,
  shipped: shipped.name,
  enriched: enriched.name,
  paid: paid.name,
  revenue: revenueByMinute.name,
} as const
type Name = keyof typeof names

/** Copies of an order follow it at once. */
const recentMax = 20_000

/** Follows all topics and counts what comes, as somebody who knows nothing of the services. */
export class Tally implements AsyncDisposable {
  readonly #client: Client
  readonly #consumer: Consumer
  readonly #counts: Record<Name, number> = {
    ...{ orders: 0, payments: 0, shipped: 0, enriched: 0, paid: 0, revenue: 0 },
  }
  readonly #letters = new Map<string, number>()
  readonly #recent = new Set<string>()
  #sum = 0
  #duplicates = 0
  /** What the join has given up: late, or unmatched. */
  #givenUp = 0
  #following: Promise<void> = Promise.resolve()
  readonly #ending = new AbortController()

  private constructor(client: Client) {
    this.#client = client
    this.#consumer = client.consumer({ offsetReset: 'earliest' })
  }

  /** Begins behind what is there already. */
  static async start(kafka: ClientOptions): Promise<Tally> {
    const tally = new Tally(createClient(kafka))
    await tally.#begin()
    return tally
  }

  get counted(): Counted {
    const { revenue: minutes, ...counts } = this.#counts
    const apart = counts.orders + counts.payments - this.#duplicates - 2 * counts.paid
    const waiting = Math.max(0, apart - this.#givenUp)
    return { ...counts, minutes, waiting, revenue: this.#sum, letters: new Map(this.#letters) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await this.#following
    await this.#consumer.close()
    await this.#client.close()
  }

  async #begin(): Promise<void> {
    const topics = [...Object.values(names), ...letterTopics]
    const described = await Promise.all(
      topics.map(async (topic) => this.#client.admin().topics.describe(topic)),
    )
    const places = described.flatMap(({ partitions }, index) =>
      partitions.map(({ partition }) => ({ topic: topics[index] ?? '', partition })),
    )
    this.#consumer.assign(places)
    for (const { offset, ...place } of await this.#consumer.endOffsets(places)) {
      this.#consumer.seek(place, offset)
    }
    this.#following = this.#follow()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      const batches = await this.#consumer.poll({ timeoutMs: 250 })
      for (const batch of batches) this.#count(batch)
    }
  }

  #count(batch: FetchedBatch): void {
    const name = (Object.keys(names) as Name[]).find((each) => names[each] === batch.topic)
    for (const record of batch) {
      if (name === undefined) this.#countLetter(batch.topic, String(record.header('error-class')))
      // What is no event has no type.
      else if (record.header('event-type') !== undefined) {
        this.#counts[name]++
        if (name === 'revenue') this.#sum += amountIn(String(record.value))
        if (name === 'orders') this.#look(String(record.value))
      }
    }
  }

  #countLetter(topic: string, reason: string): void {
    this.#letters.set(reason, (this.#letters.get(reason) ?? 0) + 1)
    const isOfJoin = topic.includes('.bookkeeping.')
    if (isOfJoin && /^(?:Late|Unmatched)Record$/.test(reason)) this.#givenUp++
  }

  /** Whether an order has come a second time. */
  #look(value: string): void {
    const { id } = JSON.parse(value) as { readonly id: string }
    if (this.#recent.has(id)) this.#duplicates++
    this.#recent.add(id)
    const [oldest] = this.#recent
    if (this.#recent.size > recentMax && oldest !== undefined) this.#recent.delete(oldest)
  }
}

function amountIn(value: string): number {
  return (JSON.parse(value) as { readonly data: { readonly amount: number } }).data.amount
}
