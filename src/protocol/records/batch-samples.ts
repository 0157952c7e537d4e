import fc from 'fast-check'
import { isMillraceError } from '../../errors.ts'
import { compressions } from '../compression/index.ts'
import { RecordBatchBuilder, crc32c } from './index.ts'
import type { RecordBatch, RecordBatchOptions, RecordInput } from './index.ts'

// What the tests of this folder share.

/** What a test's batches may take when they are decompressed. */
export const bytesMax = 1 << 20
/** When the records of tests were made. */
export const time = 1_700_000_000_000

const bytesOrNull = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 8000, max: 9000 }).map((size) => Buffer.alloc(size, 'x')),
  ),
)
const anyRecord: fc.Arbitrary<RecordInput> = fc.record({
  key: bytesOrNull,
  value: bytesOrNull,
  timestamp: fc.oneof(
    fc.integer({ min: -1, max: 1000 }),
    fc.integer({ min: time, max: time + 20_000 }),
    fc.maxSafeNat(),
  ),
  headers: fc.array(
    fc.record({
      key: fc.oneof(fc.constantFrom('event-type', 'content-type'), fc.string({ unit: 'binary' })),
      value: bytesOrNull,
    }),
    { maxLength: 4 },
  ),
})
/** Records in every form, with timestamps near and far. */
export const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 20 })
/** All that a batch can say of itself. */
export const anyOptions: fc.Arbitrary<RecordBatchOptions> = fc.record({
  compression: fc.constantFrom(...compressions),
  baseOffset: fc.maxSafeNat().map((offset) => Math.max(0, offset - 2 ** 32)),
  partitionLeaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  producerId: fc.maxSafeNat(),
  producerEpoch: fc.nat(32_767),
  baseSequence: fc.nat(2 ** 31 - 1),
  isTransactional: fc.boolean(),
})

/** The batch of these records. */
export function build(records: readonly RecordInput[], options: RecordBatchOptions = {}): Buffer {
  const builder = new RecordBatchBuilder()
  for (const record of records) builder.append(record)
  return builder.build(options)
}

/** A batch of `count` small records, a millisecond apart. */
export function simple(count: number, options: RecordBatchOptions = {}): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    ...{ key: Buffer.from(`key-${index}`), value: Buffer.from(`value-${index}`) },
    timestamp: time + index,
  }))
  return build(records, options)
}

/** A record as text: comparing megabytes of buffers byte by byte would take a test's time. */
export function show({ key, value, timestamp, headers = [] }: RecordInput): string {
  const text = (bytes: Uint8Array | null): string =>
    bytes === null ? 'null' : Buffer.from(bytes).toString('latin1')
  const shownHeaders = headers.map(
    (header) => `${JSON.stringify(header.key)}=${text(header.value)}`,
  )
  return [timestamp, text(key), text(value), ...shownHeaders].join('|')
}

/** The records of a batch as text. */
export function showAll(batch: RecordBatch): string[] {
  return [...batch.records(bytesMax)].map(show)
}

/** The code and message of the error of ours that `act` throws, or none. */
export function failure(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isMillraceError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'none'
}

/** `batch` with other bytes at `position`, summed again. */
export function changed(batch: Buffer, position: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(batch)
  copy.set(bytes, position)
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17)
  return copy
}
