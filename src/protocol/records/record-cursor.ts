import { VarintReader } from './varint.ts'

/*
 *   record   length varint of what follows, attributes i8 (unused), timestamp delta varlong,
 *            offset delta varint, key size varint (-1: null), key, value size varint (-1: null),
 *            value, header count varint, header*
 *   header   name size varint, name (UTF-8), value size varint (-1: null), value
 */

/**
 * Walks over the records of a batch without making an object for each; `limit` is where the current
 * one ends. Sizes are checked against the record, and the record against the bytes, before they are
 * used; headers are left unread.
 */
export class RecordCursor extends VarintReader {
  /** Where the record starts, with its length. */
  start: number
  timestampDelta = 0
  /** Where the offset delta is: what follows does not depend on the batch's base timestamp. */
  offsetDeltaStart = 0
  offsetDelta = -1
  keyStart = 0
  /** -1: the key is null. */
  keyBytes = -1
  valueStart = 0
  /** -1: the value is null. */
  valueBytes = -1
  readonly #end: number
  readonly #lastOffsetDelta: number

  constructor(bytes: Buffer, start: number, end: number, lastOffsetDelta: number) {
    super(bytes, start, start)
    this.start = start
    this.#end = end
    this.#lastOffsetDelta = lastOffsetDelta
  }

  /** A cursor at the same record, that goes its own way. */
  fork(): RecordCursor {
    const fork = new RecordCursor(this.bytes, this.limit, this.#end, this.#lastOffsetDelta)
    fork.offsetDelta = this.offsetDelta
    return fork
  }

  /** Whether the bytes end with the current record. */
  get isAtEnd(): boolean {
    return this.limit === this.#end
  }

  /** Moves to the next record. Its offset must be above that of the one before. */
  advance(): void {
    this.start = this.position = this.limit
    this.limit = this.#end
    const length = this.varint()
    if (length < 0 || length > this.#end - this.position) {
      throw this.malformed(`it has ${length} bytes, ${this.#end - this.position} are left`)
    }
    const recordEnd = this.position + length
    this.limit = recordEnd
    this.position++
    this.timestampDelta = this.varlong()
    this.offsetDeltaStart = this.position
    const offsetDelta = this.varint()
    if (offsetDelta <= this.offsetDelta || offsetDelta > this.#lastOffsetDelta) {
      throw this.malformed(
        `its offset delta ${offsetDelta} is not above ${this.offsetDelta}, up to ${this.#lastOffsetDelta}`,
      )
    }
    this.offsetDelta = offsetDelta
    this.keyBytes = this.#size()
    this.keyStart = this.position
    if (this.keyBytes > 0) this.position += this.keyBytes
    this.valueBytes = this.#size()
    this.valueStart = this.position
    if (this.valueBytes > 0) this.position += this.valueBytes
    // No headers, which is common, is checked here; the rest when the headers are read.
    if (this.position >= recordEnd) throw this.malformed('its headers are cut off')
    if (this.bytes[this.position] === 0 && this.position + 1 !== recordEnd) {
      throw this.malformed('bytes are left behind it')
    }
  }

  #size(): number {
    const size = this.varint()
    if (size < -1 || size > this.limit - this.position) {
      throw this.malformed(`a key or value has ${size} bytes`)
    }
    return size
  }
}
