import { partitionKey } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'

interface Movement {
  readonly partition: TopicPartition
  readonly from: string
  readonly to: string
}

/** Where partitions have moved in one balancing, so that none moves without need. */
export class PartitionMovements {
  readonly #movements = new Map<string, Movement>()

  /**
   * Which partition of the topic to move in place of `partition`: one that came the other way, if
   * there is one. It goes back, and one move less is left.
   */
  better(partition: TopicPartition, from: string, to: string): TopicPartition {
    const origin = this.#movements.get(partitionKey(partition))?.from ?? from
    for (const moved of this.#movements.values()) {
      if (moved.partition.topic !== partition.topic) continue
      if (moved.from === to && moved.to === origin) return moved.partition
    }
    return partition
  }

  note(partition: TopicPartition, from: string, to: string): void {
    const key = partitionKey(partition)
    const origin = this.#movements.get(key)?.from ?? from
    this.#movements.delete(key)
    if (origin !== to) this.#movements.set(key, { partition, from: origin, to })
  }
}
