import type { RecordHeaderInput } from '../../protocol/records/index.ts'
import { OptionError } from '../../errors.ts'

/** A key, a value, or the value of a header. Text is written as UTF-8; empty is not null. */
export type RecordBytes = Uint8Array | string | null

/**
 * Headers of a record: a list of names and values, whose order and repeated names are kept, or an object
 * where no name repeats.
 */
export type RecordHeaders =
  readonly (readonly [name: string, value: RecordBytes])[] | Readonly<Record<string, RecordBytes>>

/** What is to be written to a topic. */
export interface TopicRecord {
  /** Records with one key go to one partition. */
  readonly key?: RecordBytes
  /** Null is a tombstone, which removes its key from a compacted topic; an empty value is none. */
  readonly value: RecordBytes
  readonly headers?: RecordHeaders
  /** Where it goes, instead of where the key or the partitioner says. */
  readonly partition?: number
  /** Milliseconds since the epoch. @defaultValue now */
  readonly timestamp?: number
}

/** A record and the topic that it goes to. */
export interface ProducerRecord extends TopicRecord {
  readonly topic: string
}

/** Stands for what is no record at all, and is refused as such. */
const noRecord = { topic: '' } as ProducerRecord

/** A record that was given, or one that will be refused. */
export function recordOf(given: unknown): ProducerRecord {
  return typeof given === 'object' && given !== null ? (given as ProducerRecord) : noRecord
}

const noHeaders: readonly RecordHeaderInput[] = []

/** The headers of a record as batches take them. */
export function headersOf(headers: RecordHeaders | undefined): readonly RecordHeaderInput[] {
  if (headers === undefined) return noHeaders
  const pairs = Array.isArray(headers)
    ? (headers as readonly (readonly [string, RecordBytes])[])
    : Object.entries(headers)
  return pairs.map(([key, value]) => {
    if (typeof key !== 'string') throw new OptionError('headers', 'must have names that are text')
    return { key, value: checkedBytes(`headers['${key}']`, value) }
  })
}

/** A key, value or header value as it was given, when it is one. */
export function checkedBytes(field: string, value: unknown): RecordBytes {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) return value
  const type = value === undefined ? 'undefined' : `a ${typeof value}`
  throw new OptionError(field, `is ${type}, it must be text, bytes (Uint8Array) or null`)
}
