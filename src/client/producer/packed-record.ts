import { freshBytes } from '../../fresh-bytes.ts'
import type { Record } from '../../protocol/records/index.ts'
import {
  contentBytes,
  fieldBytes,
  putContent,
  recordOfContent,
} from '../../protocol/records/index.ts'
import { hashOfKey } from './partitioner.ts'
import { checkedBytes, headersOf } from './producer-record.ts'
import type { ProducerRecord, RecordBytes, RecordHeaders } from './producer-record.ts'

/**
 * A record whose key, value and headers are bytes already, as a batch has them. A record that waits is moved by the collector of
 * garbage, more than once, with all that it is made of: a text, a list of headers, and each of these. One that is packed is a
 * view of memory that is not moved.
 */
export class PackedRecord implements ProducerRecord {
  readonly topic: string
  readonly timestamp?: number
  readonly partition?: number
  readonly content: Buffer
  /** What its partition is chosen by; -1 where that is not its key. */
  readonly keyHash: number

  constructor(
    { topic, timestamp, partition }: ProducerRecord,
    { content, keyHash }: { readonly content: Buffer; readonly keyHash: number },
  ) {
    this.topic = topic
    this.content = content
    this.keyHash = keyHash
    if (timestamp !== undefined) this.timestamp = timestamp
    if (partition !== undefined) this.partition = partition
  }

  get key(): RecordBytes {
    return this.#unpacked.key
  }

  get value(): RecordBytes {
    return this.#unpacked.value
  }

  get headers(): RecordHeaders {
    return this.#unpacked.headers.map(({ key, value }) => [key, value] as const)
  }

  get #unpacked(): Record {
    return recordOfContent(this.content, { offset: -1, timestamp: this.timestamp ?? -1 })
  }
}

/** The same record, in bytes. Throws what is wrong with its key, its value or its headers. */
export function packRecord(record: ProducerRecord): PackedRecord {
  const { key: givenKey = null, value: givenValue, headers: givenHeaders } = record
  const key = checkedBytes('key', givenKey)
  const value = checkedBytes('value', givenValue)
  const headers = headersOf(givenHeaders)
  const keyBytes = fieldBytes(key)
  const valueBytes = fieldBytes(value)
  const content = freshBytes(contentBytes(keyBytes, valueBytes, headers))
  putContent(content, 0, key, keyBytes, value, valueBytes, headers)
  const keyHash = key === null || record.partition !== undefined ? -1 : hashOfKey(key)
  return new PackedRecord(record, { content, keyHash })
}
