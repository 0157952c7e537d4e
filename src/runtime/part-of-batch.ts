import type { SourceBatch, SourceRecord } from '../driver/index.ts'

/** The first records of a batch, up to an offset. */
export function partOfBatch(
  batch: SourceBatch,
  records: readonly SourceRecord[],
  nextOffset: number,
): SourceBatch {
  const { topic, partition, leaderEpoch, highWatermark } = batch
  return {
    ...{ topic, partition, leaderEpoch, highWatermark, nextOffset },
    recordCount: records.length,
    [Symbol.iterator]: () => records[Symbol.iterator](),
  }
}
