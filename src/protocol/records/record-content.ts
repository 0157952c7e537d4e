import { Record } from './record.ts'
import type { RecordHeader } from './record.ts'
import { putText, textBytes } from './text.ts'
import { putVarint, varintBytes, VarintReader } from './varint.ts'

/** What a key or a value can be given as. Text is written as UTF-8. */
export type FieldInput = Uint8Array | string | null

/** A header to be written. */
export interface RecordHeaderInput {
  readonly key: string
  readonly value: FieldInput
}

/*
 * The content of a record is what it has of its own, in whatever batch it is and wherever in it:
 *
 *   content  key size varint (-1: null), key, value size varint (-1: null), value, header count varint, header*
 *   header   name size varint, name (UTF-8), value size varint (-1: null), value
 */

/** The size of a key or a value; -1 for null. */
export function fieldBytes(field: FieldInput): number {
  if (field === null) return -1
  return typeof field === 'string' ? textBytes(field) : field.length
}

/** The size of a content; a size of -1 is null's. */
export function contentBytes(
  keyBytes: number,
  valueBytes: number,
  headers: readonly RecordHeaderInput[],
): number {
  let size = varintBytes(keyBytes) + varintBytes(valueBytes) + varintBytes(headers.length)
  if (keyBytes > 0) size += keyBytes
  if (valueBytes > 0) size += valueBytes
  for (let index = 0; index < headers.length; index++) {
    const { key, value } = headers[index] as RecordHeaderInput
    const nameBytes = textBytes(key)
    const bytes = fieldBytes(value)
    size += varintBytes(nameBytes) + nameBytes + varintBytes(bytes) + Math.max(0, bytes)
  }
  return size
}

/** Writes a key or a value, whose size is known; answers where it ends. */
function putField(target: Buffer, position: number, field: FieldInput, byteCount: number): number {
  const start = putVarint(target, position, byteCount)
  if (field === null) return start
  if (typeof field === 'string') return putText(target, start, field, byteCount)
  // The call of `set` costs as much as a loop over this many bytes.
  if (byteCount > 32) target.set(field, start)
  else
    for (let index = 0; index < byteCount; index++) target[start + index] = field[index] as number
  return start + byteCount
}

/** Writes headers, with their number; answers where they end. */
function putHeaders(
  target: Buffer,
  position: number,
  headers: readonly RecordHeaderInput[],
): number {
  let end = putVarint(target, position, headers.length)
  for (let index = 0; index < headers.length; index++) {
    const { key, value } = headers[index] as RecordHeaderInput
    end = putField(target, end, key, textBytes(key))
    end = putField(target, end, value, fieldBytes(value))
  }
  return end
}

/** Writes a content, the sizes of whose key and value are known; answers where it ends. */
export function putContent(
  target: Buffer,
  position: number,
  key: FieldInput,
  keyBytes: number,
  value: FieldInput,
  valueBytes: number,
  headers: readonly RecordHeaderInput[],
): number {
  const keyEnd = putField(target, position, key, keyBytes)
  return putHeaders(target, putField(target, keyEnd, value, valueBytes), headers)
}

/** What a content is made of. */
export interface RecordContent {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** What a record has beside its content. */
export interface RecordOrigin {
  readonly offset: number
  readonly timestamp: number
}

/** A record that is in no batch. */
export function makeRecord({
  key,
  value,
  headers,
  ...origin
}: RecordContent & RecordOrigin): Record {
  const keyBytes = fieldBytes(key)
  const valueBytes = fieldBytes(value)
  const bytes = Buffer.allocUnsafe(contentBytes(keyBytes, valueBytes, headers))
  putContent(bytes, 0, key, keyBytes, value, valueBytes, headers)
  return recordOfContent(bytes, origin)
}

/** A record of a content that was written here. */
export function recordOfContent(bytes: Buffer, { offset, timestamp }: RecordOrigin): Record {
  const reader = new VarintReader(bytes, 0, bytes.length)
  const keyBytes = reader.varint()
  const keyStart = reader.position
  if (keyBytes > 0) reader.position += keyBytes
  const valueBytes = reader.varint()
  const valueStart = reader.position
  // No spread: this is made for each record that a join finds.
  return new Record(
    { bytes, baseOffset: offset, baseTimestamp: timestamp, logAppendTime: undefined },
    {
      offsetDelta: 0,
      timestampDelta: 0,
      keyStart,
      keyBytes,
      valueStart,
      valueBytes,
      limit: bytes.length,
    },
  )
}
