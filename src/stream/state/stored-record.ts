import type { RawRecord } from '../../contract/index.ts'
import type { SourceHeader, SourceRecord } from '../../driver/index.ts'
import { freshBytes } from '../../fresh-bytes.ts'
import { StateError } from './state-error.ts'

/** What is remembered of a record that waits to be matched. */
export interface Remembered {
  readonly time: number
  /** Tells its bytes from others. */
  readonly fingerprint: number
  readonly isMatched: boolean
  /** Of the event's id. */
  readonly idHash: number
  readonly partition: number
  readonly offset: number
}

const format = 1
const matchedFlag = 1
const bareFlag = 2
/** Format, flags, and the numbers. */
const numbersAt = 2
const numberBytes = 7
const offsetAt = numbersAt + 3 * numberBytes
const partitionAt = numbersAt + 4 * numberBytes
const contentAt = partitionAt + 4

/**
 * A record as it lies in the state: what is asked of it at once in front, then key, headers and value, byte for byte. It is read
 * again by the contract of its topic, so that what an older version of a service remembered is understood by a newer one.
 */
export function storedRecord(record: SourceRecord, remembered: Remembered): Buffer {
  const { key, value, headers } = record
  let size = contentAt + numberBytes + 4 + (key?.length ?? 0) + 4 + 4 + (value?.length ?? 0)
  for (const header of headers) {
    size += 8 + Buffer.byteLength(header.key) + (header.value?.length ?? 0)
  }
  const bytes = freshBytes(size)
  writeHead(bytes, remembered, remembered.isMatched ? matchedFlag : 0)
  let at = writeNumber(bytes, contentAt, record.timestamp + 1)
  at = writeBytes(bytes, at, key)
  at = bytes.writeInt32BE(headers.length, at)
  for (const header of headers) {
    const nameAt = at + 4
    const nameBytes = bytes.write(header.key, nameAt)
    bytes.writeInt32BE(nameBytes, at)
    at = writeBytes(bytes, nameAt + nameBytes, header.value)
  }
  at = writeBytes(bytes, at, value)
  return bytes.subarray(0, at)
}

/** What is left of a record that was matched, and that nothing can be matched with any more: enough to recognize it. */
export function bareRecord(remembered: Omit<Remembered, 'isMatched'>): Buffer {
  const bytes = freshBytes(contentAt)
  writeHead(bytes, remembered, matchedFlag | bareFlag)
  return bytes
}

/** The same entry, matched. */
export function asMatched(stored: Buffer): Buffer {
  const copy = freshBytes(stored.length)
  copy.set(stored)
  copy[1] = (copy[1] as number) | matchedFlag
  return copy
}

export function rememberedIn(stored: Buffer): Remembered {
  checkFormat(stored)
  return {
    isMatched: isMatchedIn(stored),
    time: readNumber(stored, numbersAt),
    fingerprint: readNumber(stored, numbersAt + numberBytes),
    idHash: readNumber(stored, numbersAt + 2 * numberBytes),
    offset: readNumber(stored, offsetAt),
    partition: partitionIn(stored),
  }
}

export function isMatchedIn(stored: Buffer): boolean {
  return ((stored[1] as number) & matchedFlag) !== 0
}

export function partitionIn(stored: Buffer): number {
  return stored.readInt32BE(partitionAt)
}

export function timeIn(stored: Buffer): number {
  checkFormat(stored)
  return readNumber(stored, numbersAt)
}

/** The record as it was read. Its bytes are copies: a codec may hand them on to somebody who writes to them. */
export function recordIn(stored: Buffer): SourceRecord {
  checkFormat(stored)
  const bytes = freshBytes(stored.length)
  bytes.set(stored)
  const offset = readNumber(bytes, offsetAt)
  const timestamp = readNumber(bytes, contentAt) - 1
  let at = contentAt + numberBytes
  const key = readBytes(bytes, at)
  at += 4 + (key?.length ?? 0)
  const count = bytes.readInt32BE(at)
  at += 4
  const headers: SourceHeader[] = []
  for (let index = 0; index < count; index++) {
    const name = readBytes(bytes, at) as Buffer
    at += 4 + name.length
    const value = readBytes(bytes, at)
    at += 4 + (value?.length ?? 0)
    headers.push({ key: name.toString(), value })
  }
  return new HeldRecord({ offset, timestamp, key, headers, value: readBytes(bytes, at) })
}

/** What a record is made of. */
export interface RecordContent {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly headers: readonly SourceHeader[]
  readonly value: Buffer | null
}

/** A record of which all is in memory. */
export function sourceRecord(content: RecordContent): SourceRecord {
  return new HeldRecord(content)
}

class HeldRecord implements SourceRecord, RawRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly headers: readonly SourceHeader[]
  readonly value: Buffer | null

  constructor({ offset, timestamp, key, headers, value }: RecordContent) {
    this.offset = offset
    this.timestamp = timestamp
    this.key = key
    this.headers = headers
    this.value = value
  }

  get keySize(): number {
    return this.key?.length ?? -1
  }

  get valueSize(): number {
    return this.value?.length ?? -1
  }

  get sizeInBytes(): number {
    let size = Math.max(0, this.keySize) + Math.max(0, this.valueSize)
    for (const { key, value } of this.headers) size += Buffer.byteLength(key) + (value?.length ?? 0)
    return size
  }

  header(name: string): Buffer | null | undefined {
    return this.headers.findLast(({ key }) => key === name)?.value
  }
}

function writeHead(
  bytes: Buffer,
  { time, fingerprint, idHash, partition, offset }: Omit<Remembered, 'isMatched'>,
  flags: number,
): void {
  bytes[0] = format
  bytes[1] = flags
  let at = writeNumber(bytes, numbersAt, time)
  at = writeNumber(bytes, at, fingerprint)
  at = writeNumber(bytes, at, idHash)
  at = writeNumber(bytes, at, offset)
  bytes.writeInt32BE(partition, at)
}

function checkFormat(stored: Buffer): void {
  if (stored[0] === format) return
  throw new StateError(`the state has an entry of format ${stored[0]}, of a newer version`)
}

function writeNumber(bytes: Buffer, at: number, value: number): number {
  bytes.writeUIntBE(Math.floor(value / 2 ** 32), at, 3)
  return bytes.writeUInt32BE(value >>> 0, at + 3)
}

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 3) * 2 ** 32 + bytes.readUInt32BE(at + 3)
}

function writeBytes(bytes: Buffer, at: number, content: Buffer | null): number {
  const start = bytes.writeInt32BE(content === null ? -1 : content.length, at)
  return content === null ? start : start + content.copy(bytes, start)
}

function readBytes(bytes: Buffer, at: number): Buffer | null {
  const length = bytes.readInt32BE(at)
  return length < 0 ? null : bytes.subarray(at + 4, at + 4 + length)
}
