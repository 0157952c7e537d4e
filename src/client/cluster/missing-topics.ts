import type { Log } from '../../observe/index.ts'
import { kafkaError, kafkaErrorName } from '../../protocol/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { ClusterMetadata } from './metadata.ts'
import type { WantedTopics } from './topic-watches.ts'

/** From the first warning to the second, and twice as long each time after it. */
const pauseMsMin = 10_000
const pauseMsMax = 600_000

interface Missing {
  readonly sinceMs: number
  /** When to warn, and how long it is silent afterwards. */
  warnAtMs: number
  pauseMs: number
}

/**
 * Says of topics that are wanted and cannot be had: a name that is spelt wrong would otherwise be looked for in
 * silence. At once, then less and less often for as long as it lasts; of a topic that the broker is to create
 * from the second look on, since the first makes it.
 */
export class MissingTopics {
  readonly #clock: Clock
  readonly #log: Log
  #missing = new Map<string, Missing>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** The metadata has come that was asked for `wanted`. */
  look({ topics, toCreate }: WantedTopics, metadata: ClusterMetadata): void {
    const before = this.#missing
    this.#missing = new Map()
    if (topics !== 'all') {
      for (const topic of topics) this.#lookAt(topic, metadata, before.get(topic), true)
    }
    for (const topic of toCreate) {
      this.#lookAt(topic, metadata, before.get(topic), before.has(topic))
    }
  }

  #lookAt(
    topic: string,
    { topics }: ClusterMetadata,
    before: Missing | undefined,
    mayWarn: boolean,
  ): void {
    const code = topics.get(topic)?.errorCode ?? kafkaError.UNKNOWN_TOPIC_OR_PARTITION
    if (code === kafkaError.NONE || code === kafkaError.LEADER_NOT_AVAILABLE) return
    const now = this.#clock.elapsedMs()
    const missing = before ?? { sinceMs: now, warnAtMs: now, pauseMs: pauseMsMin }
    this.#missing.set(topic, missing)
    if (!mayWarn || now < missing.warnAtMs) return
    this.#log('warn', `topic '${topic}' cannot be used: ${kafkaErrorName(code)} (${code})`, {
      topic,
      forMs: Math.round(now - missing.sinceMs),
    })
    missing.warnAtMs = now + missing.pauseMs
    missing.pauseMs = Math.min(2 * missing.pauseMs, pauseMsMax)
  }
}
