import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/**
 * The partitions that a member holds. Each time one is taken it gets another number: who remembers the number
 * can tell whether it was held without a break since.
 */
export class Holdings {
  readonly #held = new Map<string, { readonly partition: TopicPartition; readonly hold: number }>()
  #holds = 0
  #list: readonly TopicPartition[] | undefined

  get list(): readonly TopicPartition[] {
    this.#list ??= [...this.#held.values()].map(({ partition }) => partition)
    return this.#list
  }

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  has(partition: TopicPartition): boolean {
    return this.#held.has(partitionKey(partition))
  }

  /** The number of the present hold; undefined when the partition is not held. */
  hold(partition: TopicPartition): number | undefined {
    return this.#held.get(partitionKey(partition))?.hold
  }

  take(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = partitionKey({ topic, partition })
      if (this.#held.has(key)) continue
      this.#held.set(key, { partition: { topic, partition }, hold: (this.#holds += 1) })
    }
    this.#list = undefined
  }

  /** Answers those that were held. */
  release(partitions: readonly TopicPartition[]): TopicPartition[] {
    const released = partitions.filter((partition) => this.#held.delete(partitionKey(partition)))
    this.#list = undefined
    return released
  }
}
