import { createClient } from 'millrace/client'
import type { ClientOptions } from 'millrace/client'
import { letterTopics, orders, payments } from '../contracts.ts'
import type { services } from '../services.ts'

/** What each service reads, and the group that it does so in. */
const reads: Readonly<Record<keyof typeof services, Reading>> = {
  fulfilment: { group: 'fulfilment', topics: [orders.name] },
  enrichment: { group: 'enrichment', topics: [orders.name] },
  billing: { group: 'billing', topics: [payments.name] },
  // The group of a stream has the names of its service and of the stream.
  bookkeeping: { group: 'bookkeeping-paid-orders', topics: [orders.name, payments.name] },
  'dead-letters': { group: 'dead-letters', topics: letterTopics },
}

interface Reading {
  readonly group: string
  readonly topics: readonly string[]
}

/** How far a service has come, in records of its topics. */
export interface Progress {
  readonly service: string
  readonly done: number
  readonly lag: number
}

/** Asks the cluster how far the groups are, as anybody could. Rejects while a topic is missing. */
export class ProgressReader implements AsyncDisposable {
  readonly #client

  constructor(kafka: ClientOptions) {
    this.#client = createClient(kafka)
  }

  async read(): Promise<readonly Progress[]> {
    return await Promise.all(
      Object.entries(reads).map(async ([service, { group, topics }]) => {
        const ends = await Promise.all(topics.map(async (topic) => this.#ends(topic)))
        const committed = await this.#client.admin().groups.offsets(group)
        const places = new Map(
          committed.map((each) => [keyOf(each), each.error === undefined ? each.offset : 0]),
        )
        let [done, lag] = [0, 0]
        for (const { key, offset } of ends.flat()) {
          const place = places.get(key) ?? 0
          done += place
          lag += Math.max(0, offset - place)
        }
        return { service, done, lag }
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }

  /** Of committed records: what lies behind them is nobody's to read. */
  async #ends(topic: string) {
    const found = await this.#client
      .admin()
      .offsets.findInTopic(topic, 'latest', { isolation: 'read_committed' })
    return found.map((each) => {
      if (each.error !== undefined) throw each.error
      return { key: keyOf(each), offset: each.offset ?? 0 }
    })
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }) {
  return `${topic}@${partition}`
}
