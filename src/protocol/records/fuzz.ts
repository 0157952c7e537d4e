import { isMillraceError } from '../../errors.ts'
import { readControlRecord } from './control-record.ts'
import { checkProducedBatch, findRecordDefects } from './produced-batch.ts'
import { RecordBatch } from './record-batch.ts'
import { RecordBatches } from './record-batches.ts'
import { emptyBatch, retainRecords } from './retained-records.ts'

/*
 * What a fuzzer calls. Not part of the library: the tests run these functions for a moment, a longer
 * run calls them with other seeds.
 */

const decompressedBytesMax = 1 << 20

/** Reads all of what may be anything, as a consumer would; answers how many records it found. */
export function fuzzRead(bytes: Buffer): number {
  let count = 0
  onlyOurErrors(() => {
    for (const batch of new RecordBatches(bytes)) {
      batch.isCrcValid()
      onlyOurErrors(() => {
        let offset = batch.baseOffset - 1
        for (const record of batch.records(decompressedBytesMax)) {
          if (record.offset <= offset || record.offset > batch.lastOffset) {
            throw new Error(`offset ${record.offset} in ${batch.baseOffset} to ${batch.lastOffset}`)
          }
          offset = record.offset
          if (!Number.isSafeInteger(record.timestamp)) throw new Error(`${record.timestamp}`)
          const { key, value } = record
          if (record.sizeInBytes < (key?.length ?? 0) + (value?.length ?? 0))
            throw new Error('size')
          onlyOurErrors(() => record.header(record.headers[0]?.key ?? 'none'))
          if (batch.isControl) onlyOurErrors(() => readControlRecord(record))
          count++
        }
      })
    }
  })
  return count
}

/**
 * Treats what may be anything as a broker would a produced batch: checks it, looks at its records,
 * appends it, compacts it. What passed the checks must pass the rest.
 */
export function fuzzAppend(bytes: Buffer): boolean {
  const { batch } = checkProducedBatch(bytes, bytes.length)
  if (batch === undefined) return false
  const rules = { keysRequired: false, timestampMin: -Infinity, timestampMax: Infinity }
  if (findRecordDefects(batch, { ...rules, decompressedBytesMax }) !== undefined) return false
  batch.setBaseOffset(1000)
  batch.setPartitionLeaderEpoch(3)
  if (!batch.isCrcValid()) throw new Error('placing a batch has changed what is summed')
  let parity = 0
  const keep = (): boolean => (parity ^= 1) === 1
  const options = { keep, decompressedBytesMax, deleteHorizonMs: 1_700_000_000_000 }
  const retained = RecordBatch.at(retainRecords(batch, options) ?? emptyBatch(batch))
  let count = 0
  for (const record of retained.records(decompressedBytesMax))
    count += record.offset >= 1000 ? 1 : 0
  if (count !== Math.ceil(batch.recordCount / 2)) throw new Error(`${count} records were retained`)
  return true
}

function onlyOurErrors(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!isMillraceError(error)) throw error
  }
}
