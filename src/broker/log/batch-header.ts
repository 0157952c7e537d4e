/*
 * Reads what is needed most of a record batch's header, where it lies and without making an object
 * for it: a fetch of a megabyte of small batches looks at seven thousand headers. `RecordBatch` of
 * `protocol/records/` knows the whole layout.
 */

export const headerBytes = 61
/** The bytes before the ones that a batch's length counts. */
const lengthEnd = 12

/** A 64-bit integer as a number: exact up to 2^53, which offsets do not pass. */
function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4)
}

export function baseOffsetAt(buffer: Buffer, at: number): number {
  return int64At(buffer, at)
}

/** The bytes of the whole batch, as it declares them. */
export function batchBytesAt(buffer: Buffer, at: number): number {
  return lengthEnd + buffer.readInt32BE(at + 8)
}

export function lastOffsetAt(buffer: Buffer, at: number): number {
  return int64At(buffer, at) + buffer.readInt32BE(at + 23)
}

export function maxTimestampAt(buffer: Buffer, at: number): number {
  return int64At(buffer, at + 35)
}
