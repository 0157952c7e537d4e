import type { RuntimeMetrics } from '../../observe/index.ts'
import type { Delivery } from '../delivery.ts'
import { LatestLookup } from '../latest-lookup.ts'
import type { LatestTime } from '../latest-time.ts'
import type { Ending, Step } from '../outcome.ts'

type Histogram = ReturnType<RuntimeMetrics['eventProcessing']['with']>
type Counter = ReturnType<RuntimeMetrics['eventsProcessed']['with']>

const statuses = ['done', 'skipped', 'dead-lettered', 'forwarded'] as const satisfies Ending[]

/** What is counted of one type of event in one topic; found once for each. */
interface Series {
  readonly seconds: Histogram
  readonly ended: Readonly<Record<Ending, Counter>>
}

/** Counts records and times the runs of their handlers, by topic and type of event. */
export class RecordMetrics {
  readonly #metrics: RuntimeMetrics
  readonly #time: LatestTime
  /** By topic, then by type. */
  readonly #series = new LatestLookup(
    (topic) => new LatestLookup((type) => this.#make(topic, type)),
  )

  constructor(metrics: RuntimeMetrics, time: LatestTime) {
    this.#metrics = metrics
    this.#time = time
  }

  /** Times what comes after it. */
  get step(): Step {
    return (delivery, next) => {
      const { seconds } = this.#of(delivery)
      const beganMs = this.#time.begin(seconds)
      let outcome
      try {
        outcome = next(delivery)
      } catch (error) {
        this.#time.ended(beganMs, seconds)
        throw error
      }
      if (outcome instanceof Promise) {
        this.#observeLater(delivery, seconds, this.#time.goesOn(beganMs))
      } else this.#time.ended(beganMs, seconds)
      return outcome
    }
  }

  #observeLater(delivery: Delivery, seconds: Histogram, beganMs: number): void {
    delivery.afterwards(() => seconds.observe((this.#time.ask() - beganMs) / 1_000))
  }

  ended(delivery: Delivery, ending: Ending): void {
    this.#of(delivery).ended[ending].add(1)
  }

  #of(delivery: Delivery): Series {
    return this.#series.get(delivery.sourceTopic).get(eventTypeOf(delivery))
  }

  #make(topic: string, event_type: string): Series {
    const { eventProcessing, eventsProcessed } = this.#metrics
    const counters = statuses.map((status) => [
      status,
      eventsProcessed.with({ topic, event_type, status: status.replace('-', '_') }),
    ])
    return {
      seconds: eventProcessing.with({ topic, event_type }),
      ended: Object.fromEntries(counters) as Series['ended'],
    }
  }
}

/** The type of an event whose topic knows it; what anybody may write into a header is no label. */
export function eventTypeOf({ decoded }: Delivery): string {
  if (decoded === undefined) return 'unknown'
  if (decoded.kind === 'tombstone') return 'tombstone'
  return decoded.contract?.type ?? 'unknown'
}
