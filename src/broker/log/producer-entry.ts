/** How many of its latest batches a log remembers of a producer (a client has at most five in flight). */
export const rememberedBatches = 5

const sequenceMax = 0x7fff_ffff

/** The sequence number `count` after `sequence`: after the greatest one comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  const sum = sequence + count
  return sum > sequenceMax ? sum - sequenceMax - 1 : sum
}

/** A batch that a log remembers so as to know it again. */
export interface RememberedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** What a log knows of one producer. */
export class ProducerEntry {
  readonly producerId: number
  /** -1 while nothing is known. */
  epoch = -1
  /** The epoch of the coordinator that wrote the last marker, -1 before the first. */
  coordinatorEpoch = -1
  /** Where the open transaction starts, -1 when none is open. */
  transactionStart = -1
  /** The greatest timestamp of the last batch, or the timestamp of the last marker. */
  lastTimestamp = -1
  /** When it was last heard of, by the clock of the broker: expiry does not trust timestamps. */
  lastHeardMs: number
  /** The latest batches of this epoch, oldest first. */
  readonly batches: RememberedBatch[] = []

  constructor(producerId: number, nowMs: number) {
    this.producerId = producerId
    this.lastHeardMs = nowMs
  }

  /** The sequence of the last record of this epoch, -1 before the first. */
  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? -1
  }

  /** The offset of its last data, -1 when there is none in this epoch. */
  get lastDataOffset(): number {
    return this.batches.at(-1)?.lastOffset ?? -1
  }

  batchOf(baseSequence: number, lastSequence: number): RememberedBatch | undefined {
    for (const batch of this.batches) {
      if (batch.baseSequence === baseSequence && batch.lastSequence === lastSequence) return batch
    }
    return undefined
  }

  remember(batch: RememberedBatch): void {
    if (this.batches.length === rememberedBatches) this.batches.shift()
    this.batches.push(batch)
  }

  /** Sequences start again with an epoch, so batches of another one are forgotten. */
  moveTo(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.batches.length = 0
  }
}
