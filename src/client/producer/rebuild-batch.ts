import { RecordBatch, RecordBatchBuilder } from '../../protocol/records/index.ts'
import type { BatchPart } from './batch-part.ts'
import { ProducerBatch, sequenceAfter } from './producer-batch.ts'

const noLimit = 2 ** 31 - 1

/**
 * Two batches with the records of one that was too large, in order and of about the same size. Each record
 * keeps its sequence number: should the large one have been written after all, they are refused.
 */
export function splitBatch(batch: ProducerBatch): ProducerBatch[] {
  const half = batch.uncompressedBytes / 2
  const builders = [new RecordBatchBuilder(half), new RecordBatchBuilder(half)] as const
  for (const { key, value, timestamp, headers } of recordsOf(batch)) {
    const [first, second] = builders
    const isInFirst =
      first.recordCount === 0 ||
      (second.recordCount === 0 &&
        first.sizeInBytes < half &&
        first.recordCount < batch.recordCount - 1)
    const builder = isInFirst ? first : second
    builder.tryAppend(key, value, timestamp, headers, noLimit)
  }
  let sequence = batch.baseSequence
  const halves = builders.map((builder) => {
    const made = new ProducerBatch(batch, builder)
    made.mayBeWritten = batch.mayBeWritten
    made.identity = batch.identity
    made.baseSequence = sequence
    made.state = 'waiting'
    if (sequence >= 0) sequence = sequenceAfter(sequence, made.recordCount)
    return made
  })
  shareParts(batch, halves as [ProducerBatch, ProducerBatch])
  return halves
}

/** The same batch without the records of `part`; undefined when there are no others. */
export function batchWithout(batch: ProducerBatch, part: BatchPart): ProducerBatch | undefined {
  if (part.count === batch.recordCount) return undefined
  const builder = new RecordBatchBuilder(batch.uncompressedBytes)
  let index = 0
  for (const { key, value, timestamp, headers } of recordsOf(batch)) {
    const isTaken = index >= part.first && index < part.first + part.count
    if (!isTaken) builder.tryAppend(key, value, timestamp, headers, noLimit)
    index += 1
  }
  const made = new ProducerBatch(batch, builder)
  made.state = batch.state
  made.parts = batch.parts.filter((other) => other !== part)
  for (const other of made.parts) {
    other.batch = made
    if (other.first > part.first) other.first -= part.count
  }
  return made
}

function recordsOf(batch: ProducerBatch) {
  return RecordBatch.at(batch.readableBatch()).records(batch.uncompressedBytes)
}

function shareParts(batch: ProducerBatch, [first, second]: [ProducerBatch, ProducerBatch]): void {
  const boundary = first.recordCount
  for (const part of batch.parts) {
    if (part.isSettled) continue
    if (part.first >= boundary) {
      part.first -= boundary
      addPart(second, part)
    } else if (part.first + part.count <= boundary) {
      addPart(first, part)
    } else {
      const rest = part.splitAfter(boundary - part.first)
      rest.first = 0
      addPart(first, part)
      addPart(second, rest)
    }
  }
}

function addPart(batch: ProducerBatch, part: BatchPart): void {
  part.batch = batch
  batch.parts.push(part)
}
