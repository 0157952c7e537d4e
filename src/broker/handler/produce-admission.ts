import { refuse } from '../refusal.ts'
import type { PartitionWrite } from './00-produce.ts'
import type { RequestContext } from './handler.ts'

/** Where a batch (magic 2) says who wrote it; see `log/batch-header.ts` for the whole header. */
const attributesAt = 21
const producerIdAt = 43
const producerEpochAt = 51
const headerBytes = 61
const transactionalBit = 0x10

interface TransactionalBatch {
  readonly write: PartitionWrite
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * Asks the transaction coordinator whether batches of a transaction may be written, and puts its
 * refusals into the writes. Answers undefined when nothing had to be waited for. Batches that are
 * too short to say anything are left to the log, which refuses them.
 */
export function admitToTransaction(
  transactionalId: string | null,
  writes: readonly PartitionWrite[],
  { broker, header }: RequestContext,
): Promise<void> | undefined {
  const candidates = transactionalBatches(writes)
  const [first] = candidates
  if (first === undefined) return undefined
  const batches = candidates.filter((batch) => isOfProducer(batch, first))
  const admission = broker.transactions.prepareProduce({
    transactionalId,
    producerId: first.producerId,
    producerEpoch: first.producerEpoch,
    partitions: batches.map(({ write }) => ({ topic: write.topic, partition: write.index })),
    version: header.version,
  })
  const settle = (results: Awaited<typeof admission>) => {
    for (const [index, { write }] of batches.entries()) write.result = results[index]
  }
  if (admission instanceof Promise) return admission.then(settle)
  settle(admission)
  return undefined
}

/** The transactional id belongs to one producer: batches of another are refused, not admitted with it. */
function isOfProducer(batch: TransactionalBatch, first: TransactionalBatch): boolean {
  const same = batch.producerId === first.producerId && batch.producerEpoch === first.producerEpoch
  if (!same) {
    const message = `the batch is of producer ${batch.producerId}, the first of ${first.producerId}`
    batch.write.result = refuse('INVALID_REQUEST', message)
  }
  return same
}

/** Whether the first batch is of a transaction; what is too short to say so is not. */
export function isTransactionalBatch(records: Buffer): boolean {
  if (records.length < headerBytes) return false
  return (records.readInt16BE(attributesAt) & transactionalBit) !== 0
}

function transactionalBatches(writes: readonly PartitionWrite[]): TransactionalBatch[] {
  const batches: TransactionalBatch[] = []
  for (const write of writes) {
    const { records, partition, result } = write
    if (partition === undefined || result !== undefined) continue
    if (!isTransactionalBatch(records)) continue
    const producerId = Number(records.readBigInt64BE(producerIdAt))
    batches.push({ write, producerId, producerEpoch: records.readInt16BE(producerEpochAt) })
  }
  return batches
}
