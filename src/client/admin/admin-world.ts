import type { MillraceError } from '../../errors.ts'
import type { Clock } from '../../platform/index.ts'
import { kafkaError } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { isWorthAskingAgain } from './ask-each.ts'
import type { Asked } from './ask-each.ts'

/** What all parts of the administration share. */
export interface AdminWorld {
  readonly cluster: Cluster
  readonly newTopics: NewTopics
}

/** How long brokers may take to hear of a topic that the controller has created. */
const spreadMs = 30_000

/**
 * The topics that were created here lately. A broker that does not know one of them has not heard of it yet,
 * which passes; not knowing any other topic is an answer.
 */
export class NewTopics {
  readonly #clock: Clock
  readonly #createdAtMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  created(name: string): void {
    const now = this.#clock.elapsedMs()
    for (const [known, atMs] of this.#createdAtMs) {
      if (atMs + spreadMs <= now) this.#createdAtMs.delete(known)
    }
    this.#createdAtMs.set(name, now)
  }

  deleted(name: string): void {
    this.#createdAtMs.delete(name)
  }

  has(name: string): boolean {
    const atMs = this.#createdAtMs.get(name)
    return atMs !== undefined && atMs + spreadMs > this.#clock.elapsedMs()
  }
}

export function isUnknownTopic(error: MillraceError): boolean {
  const { UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID } = kafkaError
  return (
    error instanceof KafkaError &&
    (error.kafkaCode === UNKNOWN_TOPIC_OR_PARTITION || error.kafkaCode === UNKNOWN_TOPIC_ID)
  )
}

/**
 * Whether to ask about a partition again. That its leader does not know it means that it leads it no more,
 * or not yet; that the metadata does not know it is an answer.
 */
export function partitionMayRetry({ newTopics }: AdminWorld) {
  return (error: MillraceError, asked: Asked<TopicPartition>, wasAsked: boolean): boolean =>
    isWorthAskingAgain(error) ||
    (isUnknownTopic(error) && (wasAsked || newTopics.has(asked.item.topic)))
}
