import { OptionError } from '../../errors.ts'
import type { ProducerRecord, TopicPartition } from '../../client/index.ts'
import { headersOf } from '../../client/index.ts'
import { contentBytes, putContent } from '../../protocol/records/index.ts'
import type { SourceBatch, SourceHeader, SourceRecord } from '../driver.ts'
import type { KafkaJsHeader, KafkaJsMessage, KafkaJsOutgoing } from './kafkajs-api.ts'

/** A message of kafkajs as the port has records. */
class KafkaJsRecord implements SourceRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly SourceHeader[]

  constructor(message: KafkaJsMessage) {
    this.offset = Number(message.offset)
    this.timestamp = Number(message.timestamp)
    this.key = message.key
    this.value = message.value
    this.headers = readHeaders(message)
  }

  get keySize(): number {
    return this.key?.length ?? -1
  }

  get valueSize(): number {
    return this.value?.length ?? -1
  }

  get sizeInBytes(): number {
    const ofHeaders = this.headers.reduce(
      (sum, { key, value }) => sum + Buffer.byteLength(key) + (value?.length ?? 0),
      0,
    )
    return (this.key?.length ?? 0) + (this.value?.length ?? 0) + ofHeaders
  }

  get contentBytes(): number {
    return contentBytes(this.keySize, this.valueSize, this.headers)
  }

  putContent(target: Buffer, position: number): number {
    const { key, keySize, value, valueSize, headers } = this
    return putContent(target, position, key, keySize, value, valueSize, headers)
  }

  header(name: string): Buffer | null | undefined {
    return this.headers.findLast(({ key }) => key === name)?.value
  }
}

function readHeaders({ headers = {} }: KafkaJsMessage): readonly SourceHeader[] {
  return Object.entries(headers).flatMap(([key, given]) => {
    const values = Array.isArray(given) ? given : [given]
    return values.map((value) => ({ key, value: bytesOf(value) }))
  })
}

function bytesOf(value: Exclude<KafkaJsHeader, unknown[]> | undefined): Buffer | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? Buffer.from(value) : value
}

export interface KafkaJsRecordsParts extends TopicPartition {
  readonly messages: readonly KafkaJsMessage[]
  readonly nextOffset: number
  readonly highWatermark: number
}

/** Records of one partition, as kafkajs has fetched them. */
export class KafkaJsRecords implements SourceBatch {
  readonly topic: string
  readonly partition: number
  readonly nextOffset: number
  readonly highWatermark: number
  /** kafkajs does not tell. */
  readonly leaderEpoch = -1
  readonly #messages: readonly KafkaJsMessage[]

  constructor(parts: KafkaJsRecordsParts) {
    this.topic = parts.topic
    this.partition = parts.partition
    this.nextOffset = parts.nextOffset
    this.highWatermark = parts.highWatermark
    this.#messages = parts.messages
  }

  get recordCount(): number {
    return this.#messages.length
  }

  get firstOffset(): number {
    return Number(this.#messages[0]?.offset ?? this.nextOffset)
  }

  /** The first `count` records, and the rest; undefined where there is none. */
  split(count: number): readonly [KafkaJsRecords, KafkaJsRecords | undefined] {
    const next = this.#messages[count]
    if (next === undefined) return [this, undefined]
    const { topic, partition, highWatermark, nextOffset } = this
    const place = { topic, partition, highWatermark }
    return [
      new KafkaJsRecords({
        ...place,
        messages: this.#messages.slice(0, count),
        nextOffset: Number(next.offset),
      }),
      new KafkaJsRecords({ ...place, messages: this.#messages.slice(count), nextOffset }),
    ]
  }

  *[Symbol.iterator](): Iterator<SourceRecord, undefined> {
    for (const message of this.#messages) yield new KafkaJsRecord(message)
    return undefined
  }
}

/** A record that is on its way to a partition. */
export interface OutgoingRecord {
  readonly message: KafkaJsOutgoing
  readonly timestamp: number
  readonly sizeInBytes: number
}

/** What a record takes besides key, value and headers, with room to spare. */
const recordOverheadBytes = 32

/** The record as kafkajs takes it. Throws an `OptionError` for what it cannot write. */
export function outgoingOf(
  { key = null, value, headers, timestamp: given }: ProducerRecord,
  partition: number,
  nowMs: number,
): OutgoingRecord {
  const timestamp = given ?? nowMs
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new OptionError('timestamp', `(${String(timestamp)}) must be a whole number, 0 or more`)
  }
  const written = writtenHeaders(headers)
  const message = {
    key: asBuffer('key', key),
    value: asBuffer('value', value),
    partition,
    timestamp: String(timestamp),
    headers: written,
  }
  return { message, timestamp, sizeInBytes: sizeOf(message) }
}

function writtenHeaders(headers: ProducerRecord['headers']): KafkaJsOutgoing['headers'] {
  const written: Record<string, (Buffer | string)[]> = {}
  for (const { key, value } of headersOf(headers)) {
    const bytes = asBuffer(`headers['${key}']`, value)
    if (bytes === null) {
      throw new OptionError(`headers['${key}']`, 'is null, which the driver kafkajs cannot write')
    }
    const known = Object.hasOwn(written, key) ? written[key] : undefined
    // As own property, also under a name like __proto__.
    if (known === undefined) {
      Object.defineProperty(written, key, { value: [bytes], enumerable: true })
    } else known.push(bytes)
  }
  return written
}

function asBuffer(field: string, value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  const type = value === undefined ? 'undefined' : `a ${typeof value}`
  throw new OptionError(field, `is ${type}, it must be text, bytes (Uint8Array) or null`)
}

function sizeOf({ key, value, headers }: KafkaJsOutgoing): number {
  const length = (bytes: Buffer | string | null) => (bytes === null ? 0 : Buffer.byteLength(bytes))
  const ofHeaders = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((each) => length(name) + length(each) + 4),
  )
  return (
    recordOverheadBytes +
    length(key) +
    length(value) +
    ofHeaders.reduce((sum, each) => sum + each, 0)
  )
}
