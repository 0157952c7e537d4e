import { partitionKey } from '../client/index.ts'
import type { TopicPartition } from '../client/index.ts'

/** Which partitions somebody has paused: single ones, or all but single ones, also those that come later. */
export class PausedPartitions {
  #areAll = false
  readonly #others = new Set<string>()

  has(partition: TopicPartition): boolean {
    return this.#areAll !== this.#others.has(partitionKey(partition))
  }

  /** Undefined is all. */
  pause(partitions: readonly TopicPartition[] | undefined): void {
    this.#set(partitions, true)
  }

  resume(partitions: readonly TopicPartition[] | undefined): void {
    this.#set(partitions, false)
  }

  #set(partitions: readonly TopicPartition[] | undefined, isPaused: boolean): void {
    if (partitions === undefined) {
      this.#areAll = isPaused
      this.#others.clear()
      return
    }
    for (const partition of partitions) {
      if (isPaused === this.#areAll) this.#others.delete(partitionKey(partition))
      else this.#others.add(partitionKey(partition))
    }
  }
}
