import type { RecordBatch, RecordReader } from '../../protocol/records/index.ts'

/**
 * The records of one record batch, to be read from any of them on. Reading begins at the first one,
 * since records have no fixed size; where a batch is handed out in several parts the reader that
 * stopped at a cut is kept for the next part, so that parts together cost one pass.
 */
export class BatchContent {
  readonly batch: RecordBatch
  readonly #decompressedBytesMax: number
  /** Readers before the record of that index. Only at cuts: they keep what was decompressed alive. */
  readonly #atCuts = new Map<number, RecordReader>()

  constructor(batch: RecordBatch, decompressedBytesMax: number) {
    this.batch = batch
    this.#decompressedBytesMax = decompressedBytesMax
  }

  /** Whether every offset of the batch has its record, as it is before compaction. */
  get isDense(): boolean {
    return this.batch.recordCount === this.batch.lastOffsetDelta + 1
  }

  /** A reader before the record of index `index`; decompresses the batch if it has to. */
  readerAt(index: number): RecordReader {
    const known = this.#atCuts.get(index)
    if (known !== undefined) return known.fork()
    let nearest = 0
    for (const cut of this.#atCuts.keys()) if (cut < index && cut > nearest) nearest = cut
    const reader =
      this.#atCuts.get(nearest)?.fork() ?? this.batch.records(this.#decompressedBytesMax)
    reader.skip(index - nearest)
    if (index > 0) this.#atCuts.set(index, reader.fork())
    return reader
  }

  /** `reader` has been read up to the record of index `index`, where this part of the batch ends. */
  keepCut(index: number, reader: RecordReader): void {
    if (index < this.batch.recordCount) this.#atCuts.set(index, reader)
  }

  /** The index of the first record at or after `offset`; the number of records when there is none. */
  indexOf(offset: number): number {
    const { baseOffset, recordCount } = this.batch
    if (offset <= baseOffset) return 0
    if (this.isDense) return Math.min(offset - baseOffset, recordCount)
    const reader = this.readerAt(0)
    let index = 0
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      if (record.offset >= offset) break
      index++
    }
    return index
  }

  /** The offset of the record of index `index`. */
  offsetAt(index: number): number {
    if (this.isDense) return this.batch.baseOffset + index
    const record = this.readerAt(index).next()
    return record === undefined ? this.batch.nextOffset : record.offset
  }
}
