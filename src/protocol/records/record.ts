import { safeTimestamp } from './batch-layout.ts'
import { isHeaderName, readHeaderName } from './header-name.ts'
import type { RecordCursor } from './record-cursor.ts'
import { putVarint, varintBytes, VarintReader } from './varint.ts'

/** A header of a record. Names may repeat. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** What the records of a batch share. */
export interface RecordSource {
  /** The records, decompressed. */
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly baseTimestamp: number
  /** The timestamp of all records of a batch whose timestamps the broker set; else undefined. */
  readonly logAppendTime: number | undefined
}

/** Where a record is. */
export type RecordPlace = Pick<
  RecordCursor,
  'offsetDelta' | 'timestampDelta' | 'keyStart' | 'keyBytes' | 'valueStart' | 'valueBytes' | 'limit'
>

/**
 * A record, as positions in the bytes of its batch. Nothing is decoded before it is read, and each
 * read of `key`, `value` or `headers` makes a new view: keep what is needed again. The views, and the
 * record, keep the bytes of the whole batch alive; copy what is kept for long.
 */
export class Record {
  readonly #source: RecordSource
  readonly #offsetDelta: number
  readonly #timestampDelta: number
  readonly #keyStart: number
  readonly #keyBytes: number
  readonly #valueStart: number
  readonly #valueBytes: number
  readonly #end: number
  /** Of the names of its headers, as `nameBit` says; undefined before one was asked for. */
  #nameBits: number | undefined

  constructor(source: RecordSource, place: RecordPlace) {
    this.#source = source
    this.#offsetDelta = place.offsetDelta
    this.#timestampDelta = place.timestampDelta
    this.#keyStart = place.keyStart
    this.#keyBytes = place.keyBytes
    this.#valueStart = place.valueStart
    this.#valueBytes = place.valueBytes
    this.#end = place.limit
  }

  get offset(): number {
    return this.#source.baseOffset + this.#offsetDelta
  }

  /** Milliseconds since the epoch, or -1 for none; a time beyond 2^53 - 1 is read as 2^53 - 1. */
  get timestamp(): number {
    const { logAppendTime, baseTimestamp } = this.#source
    return logAppendTime ?? safeTimestamp(baseTimestamp + this.#timestampDelta)
  }

  get key(): Buffer | null {
    return slice(this.#source.bytes, this.#keyStart, this.#keyBytes)
  }

  get value(): Buffer | null {
    return slice(this.#source.bytes, this.#valueStart, this.#valueBytes)
  }

  /** The size of the key in bytes; -1 when it is null. */
  get keySize(): number {
    return this.#keyBytes
  }

  /** The size of the value in bytes; -1 when it is null. */
  get valueSize(): number {
    return this.#valueBytes
  }

  /** The bytes of key, value and headers, as far as they are there. */
  get sizeInBytes(): number {
    return this.#end - this.#keyStart
  }

  /** The size of its content, which `record-content.ts` describes. */
  get contentBytes(): number {
    return varintBytes(this.#keyBytes) + this.sizeInBytes
  }

  /** Writes its content, byte for byte as it lies in its batch; answers where it ends. */
  putContent(target: Buffer, position: number): number {
    const start = putVarint(target, position, this.#keyBytes)
    return start + this.#source.bytes.copy(target, start, this.#keyStart, this.#end)
  }

  /** All headers, in order. Throws a ProtocolError when they are malformed. */
  get headers(): RecordHeader[] {
    const reader = this.#headerReader()
    const { bytes } = reader
    const headers: RecordHeader[] = []
    for (let left = readCount(reader); left > 0; left--) {
      const nameEnd = readNameEnd(reader)
      const key = readHeaderName(bytes, reader.position, nameEnd)
      reader.position = nameEnd
      const size = readSize(reader)
      headers.push({ key, value: slice(bytes, reader.position, size) })
      reader.position += Math.max(size, 0)
    }
    checkEnd(reader)
    return headers
  }

  /**
   * The value of the last header of this name; undefined when there is none. Cheaper than `headers`,
   * and throws like it.
   */
  header(name: string): Buffer | null | undefined {
    // Most that are asked for are not there.
    if (this.#nameBits !== undefined && (this.#nameBits & nameBit(name)) === 0) return undefined
    const reader = this.#headerReader()
    let start = 0
    let found = -2
    let nameBits = 0
    for (let left = readCount(reader); left > 0; left--) {
      const nameEnd = readNameEnd(reader)
      nameBits |= nameBitAt(reader.bytes, reader.position, nameEnd)
      const matches = isHeaderName(reader.bytes, reader.position, nameEnd, name)
      reader.position = nameEnd
      const size = readSize(reader)
      if (matches) {
        start = reader.position
        found = size
      }
      reader.position += Math.max(size, 0)
    }
    checkEnd(reader)
    this.#nameBits = nameBits
    return found === -2 ? undefined : slice(reader.bytes, start, found)
  }

  #headerReader(): VarintReader {
    const start = this.#valueStart + Math.max(this.#valueBytes, 0)
    return new VarintReader(this.#source.bytes, start, this.#end)
  }
}

/** All bits, of a name that could have any: one that does not begin with two characters of one byte each. */
const anyBit = -1

/** Of the 32 bits the one that stands for names which begin as this one does. */
function nameBit(name: string): number {
  if (name.length < 2) return anyBit
  const first = name.charCodeAt(0)
  const second = name.charCodeAt(1)
  return first > 0x7f || second > 0x7f ? anyBit : bitOf(first, second)
}

/** The same of a name that lies in bytes. */
function nameBitAt(bytes: Buffer, start: number, end: number): number {
  if (end - start < 2) return anyBit
  const first = bytes[start] as number
  const second = bytes[start + 1] as number
  return first > 0x7f || second > 0x7f ? anyBit : bitOf(first, second)
}

function bitOf(first: number, second: number): number {
  return 1 << ((7 * first + second) & 31)
}

function slice(bytes: Buffer, start: number, size: number): Buffer | null {
  return size < 0 ? null : bytes.subarray(start, start + size)
}

function readCount(reader: VarintReader): number {
  const count = reader.varint()
  // A header has at least two bytes.
  if (count < 0 || count * 2 > reader.limit - reader.position) {
    throw reader.malformed(`${count} headers do not fit`)
  }
  return count
}

/** Reads the size of a header's name; answers where the name ends, and leaves the reader before it. */
function readNameEnd(reader: VarintReader): number {
  const size = reader.varint()
  if (size < 0 || size > reader.limit - reader.position) {
    throw reader.malformed(`the name of a header has ${size} bytes`)
  }
  return reader.position + size
}

function readSize(reader: VarintReader): number {
  const size = reader.varint()
  if (size < -1 || size > reader.limit - reader.position) {
    throw reader.malformed(`the value of a header has ${size} bytes`)
  }
  return size
}

function checkEnd(reader: VarintReader): void {
  if (reader.position !== reader.limit) throw reader.malformed('bytes are left behind the headers')
}
