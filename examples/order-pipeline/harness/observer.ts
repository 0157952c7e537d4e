import type { ClientOptions } from 'millrace/client'
import type { LiveState } from './live-view.ts'
import type { MetricsPages } from './metrics-pages.ts'
import { ProgressReader } from './progress.ts'
import type { Progress } from './progress.ts'
import { Tally } from './tally.ts'
import type { Counted } from './tally.ts'

const topicNames = ['orders', 'payments', 'shipped', 'enriched'] as const

/** Counts that only grow, at a moment. */
interface Glance {
  readonly atMs: number
  readonly counted: Counted
  readonly progress: readonly Progress[]
}

/** Puts together what is shown: from the topics, the groups and the metrics of the services. */
export class Observer implements AsyncDisposable {
  readonly #tally: Tally
  readonly #progress: ProgressReader
  readonly #pages: MetricsPages
  #last: Glance

  private constructor(tally: Tally, progress: ProgressReader, pages: MetricsPages, first: Glance) {
    this.#tally = tally
    this.#progress = progress
    this.#pages = pages
    this.#last = first
  }

  /** Begins when all topics are there. */
  static async start(kafka: ClientOptions, pages: MetricsPages): Promise<Observer> {
    const progress = new ProgressReader(kafka)
    const tally = await Tally.start(kafka)
    const glance = {
      ...{ atMs: performance.now(), counted: tally.counted },
      progress: await progress.read(),
    }
    return new Observer(tally, progress, pages, glance)
  }

  async look(): Promise<Omit<LiveState, 'cluster' | 'shop' | 'happenings'>> {
    const before = this.#last
    const progress = await this.#progress.read()
    const { counted } = this.#tally
    const atMs = performance.now()
    const seconds = (atMs - before.atMs) / 1_000
    this.#last = { atMs, counted, progress }
    const lettered = (reason: string) => counted.letters.get(reason) ?? 0
    const services = progress.map(async ({ service: name, done, lag }, index) => {
      const perSecond = Math.max(0, done - (before.progress[index]?.done ?? 0)) / seconds
      return { name, perSecond, lag, ...(await this.#pages.read(name)) }
    })
    return {
      topics: topicNames.map((name) => {
        const total = counted[name]
        return { name, total, perSecond: (total - before.counted[name]) / seconds }
      }),
      services: await Promise.all(services),
      join: {
        ...{ matched: counted.paid, waiting: counted.waiting },
        ...{ late: lettered('LateRecord'), unmatched: lettered('UnmatchedRecord') },
      },
      revenue: { total: counted.revenue, minutes: counted.minutes },
      letters: counted.letters,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tally[Symbol.asyncDispose]()
    await this.#progress[Symbol.asyncDispose]()
  }
}
