import type { SourceRecord } from '../../driver/index.ts'
import { freshBytes } from '../../fresh-bytes.ts'
import { recordOfContent } from '../../protocol/records/index.ts'
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

const format = 2
const matchedFlag = 1
const bareFlag = 2
/** Format, flags, and the numbers. */
const numbersAt = 2
const numberBytes = 7
const offsetAt = numbersAt + 3 * numberBytes
const partitionAt = numbersAt + 4 * numberBytes
const timestampAt = partitionAt + 4
const contentAt = timestampAt + numberBytes

/**
 * A record as it lies in the state: what is asked of it at once in front, then its content, byte for byte. It is read again by the
 * contract of its topic, so that what an older version of a service remembered is understood by a newer one.
 */
export function storedRecord(record: SourceRecord, remembered: Remembered): Buffer {
  const bytes = freshBytes(contentAt + record.contentBytes)
  writeHead(bytes, remembered, remembered.isMatched ? matchedFlag : 0)
  writeNumber(bytes, timestampAt, record.timestamp + 1)
  record.putContent(bytes, contentAt)
  return bytes
}

/** What is left of a record that was matched, and that nothing can be matched with any more: enough to recognize it. */
export function bareRecord(remembered: Omit<Remembered, 'isMatched'>): Buffer {
  const bytes = freshBytes(timestampAt)
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

/** Whether nothing can be matched with it any more, under the settings with which it was matched. */
export function isBareIn(stored: Buffer): boolean {
  return ((stored[1] as number) & bareFlag) !== 0
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
  if (isBareIn(stored)) throw new StateError('the content of a matched record is asked for')
  const content = freshBytes(stored.length - contentAt)
  stored.copy(content, 0, contentAt)
  const offset = readNumber(stored, offsetAt)
  const timestamp = readNumber(stored, timestampAt) - 1
  return recordOfContent(content, { offset, timestamp })
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
  throw new StateError(
    `the state has an entry of format ${stored[0]}; this version reads ${format}`,
  )
}

function writeNumber(bytes: Buffer, at: number, value: number): number {
  bytes.writeUIntBE(Math.floor(value / 2 ** 32), at, 3)
  return bytes.writeUInt32BE(value >>> 0, at + 3)
}

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 3) * 2 ** 32 + bytes.readUInt32BE(at + 3)
}
