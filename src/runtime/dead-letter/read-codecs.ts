import { partitionKey } from '../../client/index.ts'
import type { Compression, TopicPartition } from '../../client/index.ts'
import type { CompressionFrom, SourceBatch } from '../../driver/index.ts'

/** Where codecs change more often than this, what is told of older records is a guess. */
const changesMax = 1_000

/**
 * How the records that were read are compressed where they lie: what is written in the place of one is compressed alike, or
 * a record that its topic just took could be too large for another. Costs a comparison for each batch.
 */
export class ReadCodecs {
  readonly #changes = new Map<string, CompressionFrom[]>()

  note(batch: SourceBatch): void {
    for (const { offset, compression } of batch.compressions ?? []) {
      const key = partitionKey(batch)
      const changes = this.#changes.get(key)
      if (changes === undefined) {
        this.#changes.set(key, [{ offset, compression }])
        continue
      }
      // After a seek back what was known of the offsets behind is found out again.
      while (changes.length > 0 && (changes.at(-1) as CompressionFrom).offset >= offset) {
        changes.pop()
      }
      if (changes.at(-1)?.compression !== compression) changes.push({ offset, compression })
      if (changes.length > changesMax) changes.shift()
    }
  }

  at(partition: TopicPartition, offset: number): Compression {
    const changes = this.#changes.get(partitionKey(partition))
    const found = changes?.findLast((change) => change.offset <= offset) ?? changes?.[0]
    return found?.compression ?? 'none'
  }
}
