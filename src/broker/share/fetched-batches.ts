import { readControlRecord, RecordBatches } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import type { LogRead } from '../log/index.ts'
import type { AcquiredRange, BatchSpan } from './share-state.ts'

/** A batch as it lies in what was read from a log. */
export interface FetchedBatch extends BatchSpan {
  readonly bytes: Buffer
}

export interface FetchedBatches {
  readonly batches: readonly FetchedBatch[]
  /** Batches of transactions that were aborted; none for readers of uncommitted data. */
  readonly aborted: readonly BatchSpan[]
}

/** What a log was read, batch by batch: only their headers are looked at. */
export function fetchedBatches({ chunks, abortedTransactions }: LogRead): FetchedBatches {
  const batches: FetchedBatch[] = []
  const aborted: BatchSpan[] = []
  const waiting = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  for (const batch of batchesIn(chunks)) {
    const span = { first: batch.baseOffset, last: batch.lastOffset }
    batches.push({ ...span, bytes: batch.bytes })
    if (abortedTransactions === null || !batch.isTransactional) continue
    while (waiting[0] !== undefined && waiting[0].firstOffset <= span.last) {
      open.add(waiting[0].producerId)
      waiting.shift()
    }
    if (!open.has(batch.producerId)) continue
    if (!batch.isControl) aborted.push(span)
    else if (isAbortMarker(batch)) open.delete(batch.producerId)
  }
  return { batches, aborted }
}

/** A big batch may come from a file in two pieces. */
function* batchesIn(chunks: readonly Buffer[]): Iterable<RecordBatch> {
  let piece: Buffer | undefined
  for (const chunk of chunks) {
    const bytes = piece === undefined ? chunk : Buffer.concat([piece, chunk])
    const batches = new RecordBatches(bytes)
    yield* batches
    piece = batches.position < bytes.length ? bytes.subarray(batches.position) : undefined
  }
}

/** A marker is not compressed, and a few bytes long. */
const markerBytesMax = 1024

function isAbortMarker(batch: RecordBatch): boolean {
  for (const record of batch.records(markerBytesMax))
    return readControlRecord(record).type === 'abort'
  return false
}

/** The batches that hold something of what was acquired. */
export function batchesOf(
  batches: readonly FetchedBatch[],
  acquired: readonly AcquiredRange[],
): Buffer[] {
  const first = Math.min(...acquired.map((range) => range.first))
  const last = Math.max(...acquired.map((range) => range.last))
  return batches
    .filter((batch) => batch.last >= first && batch.first <= last)
    .map(({ bytes }) => bytes)
}
