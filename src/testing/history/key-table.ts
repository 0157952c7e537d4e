import { itemAt } from './column.ts'
import type { TopicPartition } from './operation.ts'

/** Numbers for topic-partitions. */
export class KeyTable {
  readonly #topicPartitions: TopicPartition[] = []
  readonly #byTopic = new Map<string, Map<number, number>>()

  get length(): number {
    return this.#topicPartitions.length
  }

  /** The number of a topic-partition, which gets one if it has none. */
  intern(topic: string, partition: number): number {
    let partitions = this.#byTopic.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#byTopic.set(topic, partitions)
    }
    let key = partitions.get(partition)
    if (key === undefined) {
      key = this.#topicPartitions.push({ topic, partition }) - 1
      partitions.set(partition, key)
    }
    return key
  }

  /** Undefined for one that no record was sent to or read from. */
  find(topic: string, partition: number): number | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  at(key: number): TopicPartition {
    return itemAt(this.#topicPartitions, key)
  }

  /** As Kafka's tools write it: `orders-0`. */
  name(key: number): string {
    const { topic, partition } = this.at(key)
    return `${topic}-${partition}`
  }
}
