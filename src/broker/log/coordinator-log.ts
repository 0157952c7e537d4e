import { readControlRecord } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import { AppendRefused } from '../coordinator-log.ts'
import type { CoordinatorLog, StateReader } from '../coordinator-log.ts'
import { isRefusal } from '../refusal.ts'
import { decompressedBytesMax } from './decompression.ts'
import type { PartitionLog } from './partition-log.ts'

/** A partition of a coordinator's topic. */
export interface CoordinatedPartition {
  readonly index: number
  readonly leaderEpoch: number
  readonly log: PartitionLog
}

/** Makes the log of a partition look as its coordinator wants to see it. */
export function coordinatorLog(partition: CoordinatedPartition): CoordinatorLog {
  const { log, index } = partition
  return {
    partition: index,
    async append(records, transaction) {
      const { leaderEpoch } = partition
      const options = transaction === undefined ? { leaderEpoch } : { leaderEpoch, transaction }
      const result = log.appendRecords(records, options)
      if (isRefusal(result)) throw new AppendRefused(result)
      await result.durable
      return result.lastOffset
    },
    replay: (reader) => {
      for (const batch of log.batches()) replayBatch(batch, reader)
    },
  }
}

function replayBatch(batch: RecordBatch, reader: StateReader): void {
  const { producerId, producerEpoch, isTransactional, isControl } = batch
  const transaction = isTransactional ? { producerId, producerEpoch } : undefined
  for (const record of batch.records(decompressedBytesMax)) {
    const { offset, key, value } = record
    if (isControl) {
      const { type } = readControlRecord(record)
      if (type !== 'unknown') reader.marker(offset, producerId, type === 'commit')
    } else if (key !== null) {
      reader.record(offset, { key, value }, transaction)
    }
  }
}
