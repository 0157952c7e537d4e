import { isMillraceError, OptionError } from '../../errors.ts'
import { KafkaError, partitionOfKey } from '../../client/index.ts'
import type { Partitioner, ProducerRecord } from '../../client/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { DriverAdmin } from '../driver.ts'

interface KnownCount {
  readonly count: Promise<number>
  readonly untilMs: number
}

const knownMs = 30_000
const askAgainMs = 200

/**
 * Chooses partitions as our own client does, and tells kafkajs: it would choose again at each retry, and lose records that
 * it then believes to be written.
 */
export class PartitionChoice {
  readonly #clock: Clock
  readonly #admin: Pick<DriverAdmin, 'topics'>
  readonly #partitioner: Partitioner | undefined
  readonly #counts = new Map<string, KnownCount>()
  readonly #next = new Map<string, number>()

  constructor(
    clock: Clock,
    admin: Pick<DriverAdmin, 'topics'>,
    partitioner: Partitioner | undefined,
  ) {
    this.#clock = clock
    this.#admin = admin
    this.#partitioner = partitioner
  }

  /** How many partitions a topic has; waits for one that is not there, until the signal aborts. */
  countOf(topic: string, signal: AbortSignal): Promise<number> {
    const known = this.#counts.get(topic)
    if (known !== undefined && this.#clock.elapsedMs() < known.untilMs) return known.count
    const count = this.#ask(topic, signal)
    this.#counts.set(topic, { count, untilMs: this.#clock.elapsedMs() + knownMs })
    count.catch(() => this.#counts.delete(topic))
    return count
  }

  choose(record: ProducerRecord, count: number): number {
    const { topic, partition: given } = record
    const chosen = given ?? this.#partitioner?.(record, count)
    if (chosen === undefined) return this.#byKey(record, count)
    if (Number.isSafeInteger(chosen) && chosen >= 0 && chosen < count) return chosen
    const allowed = `must be a partition of ${topic}, from 0 to ${count - 1}`
    throw new OptionError('partition', `(${String(chosen)}) ${allowed}`)
  }

  #byKey({ topic, key }: ProducerRecord, count: number): number {
    if (key !== null && key !== undefined) return partitionOfKey(key, count)
    const next = this.#next.get(topic) ?? 0
    this.#next.set(topic, next + 1)
    return next % count
  }

  async #ask(topic: string, signal: AbortSignal): Promise<number> {
    for (;;) {
      try {
        const { partitions } = await this.#admin.topics.describe(topic, { signal })
        if (partitions.length > 0) return partitions.length
      } catch (error) {
        if (!isMillraceError(error) || !(error.retriable || isUnknown(error))) throw error
      }
      await this.#clock.sleep(askAgainMs, signal)
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof KafkaError && error.kafkaName === 'UNKNOWN_TOPIC_OR_PARTITION'
}
