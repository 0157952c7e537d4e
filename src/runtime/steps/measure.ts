import type { RuntimeMetrics } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
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
  readonly #clock: Clock
  /** By topic, then by type. */
  readonly #series = new Map<string, Map<string, Series>>()

  constructor(metrics: RuntimeMetrics, clock: Clock) {
    this.#metrics = metrics
    this.#clock = clock
  }

  /** Times what comes after it. */
  get step(): Step {
    return (delivery, next) => {
      const { seconds } = this.#of(delivery)
      const beganMs = this.#clock.elapsedMs()
      const observe = () => seconds.observe((this.#clock.elapsedMs() - beganMs) / 1_000)
      let outcome
      try {
        outcome = next(delivery)
      } catch (error) {
        observe()
        throw error
      }
      if (outcome instanceof Promise) {
        // Not `finally`, which makes three promises more.
        return outcome.then(
          (answer) => {
            observe()
            return answer
          },
          (error: unknown) => {
            observe()
            throw error
          },
        )
      }
      observe()
      return outcome
    }
  }

  ended(delivery: Delivery, ending: Ending): void {
    this.#of(delivery).ended[ending].add(1)
  }

  #of(delivery: Delivery): Series {
    const type = eventTypeOf(delivery)
    const topic = delivery.sourceTopic
    let types = this.#series.get(topic)
    if (types === undefined) this.#series.set(topic, (types = new Map<string, Series>()))
    let series = types.get(type)
    if (series === undefined) types.set(type, (series = this.#make(topic, type)))
    return series
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
