import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'

interface Batch {
  readonly partitions: Map<string, TopicPartition>
  readonly added: Promise<void>
}

/**
 * The partitions of one transaction that has to announce them. A partition is unknown, then **gathered** with
 * others for the next request, then **being added**, then **added**. A request at a time; those who ask while one
 * is under way share the next. A request that fails leaves its partitions unknown.
 */
export class PartitionEnrolment {
  readonly #added = new Set<string>()
  readonly #add: (partitions: readonly TopicPartition[]) => Promise<void>
  #adding: Batch | undefined
  #gathered: Batch | undefined

  constructor(add: (partitions: readonly TopicPartition[]) => Promise<void>) {
    this.#add = add
  }

  /** Undefined when all of them are in the transaction. */
  admit(partitions: readonly TopicPartition[]): Promise<void> | undefined {
    const batches = new Set<Batch>()
    for (const partition of partitions) {
      const key = partitionKey(partition)
      if (this.#added.has(key)) continue
      if (this.#adding?.partitions.has(key) === true) {
        batches.add(this.#adding)
        continue
      }
      const batch = (this.#gathered ??= this.#gather())
      batch.partitions.set(key, partition)
      batches.add(batch)
    }
    if (batches.size === 0) return undefined
    return Promise.all([...batches].map((batch) => batch.added)).then(() => undefined)
  }

  #gather(): Batch {
    const partitions = new Map<string, TopicPartition>()
    const before = this.#adding?.added.catch(() => undefined)
    const added = Promise.resolve(before).then(async () => {
      this.#adding = batch
      this.#gathered = undefined
      try {
        await this.#add([...partitions.values()])
        for (const key of partitions.keys()) this.#added.add(key)
      } finally {
        this.#adding = undefined
      }
    })
    const batch = { partitions, added }
    return batch
  }
}
