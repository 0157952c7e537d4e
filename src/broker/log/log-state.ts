import { readControlRecord } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decompressedBytesMax } from './decompression.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { Producers } from './producers.ts'
import { Transactions } from './transactions.ts'

/**
 * What follows from the batches of a log: it is built by going over them, whether they are being
 * appended or found at start.
 */
export class LogState {
  readonly producers = new Producers()
  readonly transactions = new Transactions()
  readonly leaderEpochs = new LeaderEpochs()

  /** Takes note of the next batch of the log. */
  apply(batch: RecordBatch, nowMs: number): void {
    const { baseOffset, producerId } = batch
    this.leaderEpochs.begin(batch.partitionLeaderEpoch, baseOffset)
    if (producerId < 0) return
    if (batch.isControl) {
      this.#applyMarker(batch, nowMs)
      return
    }
    const starts = this.producers.addBatch(batch, baseOffset, batch.maxTimestamp, nowMs)
    if (starts) this.transactions.open(producerId, baseOffset)
  }

  /** Goes back to what was known at a checkpoint. */
  restore(checkpoint: Checkpoint): void {
    for (const entry of checkpoint.producers) this.producers.restore(entry)
    const open = checkpoint.producers.filter((entry) => entry.transactionStart >= 0)
    open.sort((one, other) => one.transactionStart - other.transactionStart)
    for (const { producerId, transactionStart } of open) {
      this.transactions.open(producerId, transactionStart)
    }
    this.transactions.restoreAborted(checkpoint.aborted)
    for (const { epoch, startOffset } of checkpoint.leaderEpochs) {
      this.leaderEpochs.begin(epoch, startOffset)
    }
  }

  /** Forgets what lies below the start of the log; producers stay, so that retries are known. */
  trimStart(logStartOffset: number): void {
    this.transactions.trimStart(logStartOffset)
    this.leaderEpochs.trimStart(logStartOffset)
  }

  #applyMarker(batch: RecordBatch, nowMs: number): void {
    const { producerId, producerEpoch, baseOffset, maxTimestamp } = batch
    const record = batch.records(decompressedBytesMax).next()
    // Compaction may leave a marker without its record, when its transaction has left no data.
    const marker = record === undefined ? undefined : readControlRecord(record)
    if (marker?.type === 'unknown') return
    const coordinatorEpoch = marker?.coordinatorEpoch ?? -1
    const writer = { producerId, producerEpoch, coordinatorEpoch }
    const start = this.producers.addMarker(writer, maxTimestamp, nowMs)
    if (start < 0) return
    this.transactions.end(producerId, start, baseOffset, marker?.type !== 'abort')
  }
}
