/** What the cases about the library's own client start with. */
import { expect } from 'vitest'
import { createClient, type Client, type ClientOptions } from '../../src/client/index.ts'
import type { CloseOptions, Consumer } from '../../src/client/consumer/consumer.ts'
import type { TopicSelection } from '../../src/client/consumer/subscription.ts'
import type { FetchedBatch } from '../../src/client/consumer/fetched-batch.ts'
import { isMillraceError, type ErrorCode } from '../../src/errors.ts'
import { silentLog } from '../../src/observe/index.ts'
import type { Port, Topic } from './port.ts'

/** A record as it can be compared with another. */
export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

/** A client of the implementation under test. */
export function clientOf(port: Port, options: Partial<ClientOptions> = {}): Client {
  return createClient({ brokers: port.bootstrap, log: silentLog, ...options })
}

export function partitionsOf(topic: Topic, count = 1) {
  return Array.from({ length: count }, (_, partition) => ({ topic: topic.name, partition }))
}

export function recordsOf(batches: readonly FetchedBatch[]): ReadRecord[] {
  const text = (bytes: Buffer | null) => bytes?.toString() ?? null
  return batches.flatMap((batch) =>
    [...batch].map(({ offset, timestamp, key, value, headers }) => ({
      partition: batch.partition,
      offset,
      timestamp,
      key: text(key),
      value: text(value),
      headers: headers.map((header) => [header.key, text(header.value)] as const),
    })),
  )
}

export function valuesOfRecords(records: readonly ReadRecord[]): (string | null)[] {
  return records.map(({ value }) => value)
}

/** Polls until there are so many records. */
export async function readCount(consumer: Consumer, count: number): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  while (records.length < count) records.push(...recordsOf(await consumer.poll()))
  expect(records).toHaveLength(count)
  return records
}

export interface ReadOptions {
  readonly partitions?: number
  readonly isolation?: 'read_committed' | 'read_uncommitted'
}

/**
 * All records that are there, partition by partition in the order in which they came. Waits for what is decided,
 * but whose markers are not everywhere yet.
 */
export async function readAll(
  client: Client,
  topic: Topic,
  { partitions: count = 1, isolation = 'read_committed' }: ReadOptions = {},
): Promise<ReadRecord[]> {
  await using consumer = client.consumer({ offsetReset: 'earliest', isolation })
  const partitions = partitionsOf(topic, count)
  consumer.assign(partitions)
  await using ofAll = client.consumer({ offsetReset: 'none', isolation: 'read_uncommitted' })
  const ends = await ofAll.endOffsets(partitions)
  const records: ReadRecord[] = []
  while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
    records.push(...recordsOf(await consumer.poll({ timeoutMs: 200 })))
  }
  return records.sort((one, other) => one.partition - other.partition)
}

/** The error of the library that something must fail with. */
export async function failureOf(promise: Promise<unknown>, code: ErrorCode): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error(`${code} did not come`)
  expect(isMillraceError(error) ? error.code : error).toBe(code)
  return error
}

/** `value-0` and so on, in one partition. */
export function numbered(topic: Topic, count: number, partition = 0) {
  return Array.from({ length: count }, (_, index) => ({
    topic: topic.name,
    partition,
    key: `key-${index}`,
    value: `value-${index}`,
  }))
}

/** A member of a group that reads whatever it is given, until it is closed. What it fails with is thrown by all that asks it. */
export class Reader implements AsyncDisposable {
  readonly consumer: Consumer
  readonly #records: ReadRecord[] = []
  readonly #reading: Promise<void>
  #failure: Error | undefined

  constructor(consumer: Consumer, topics: TopicSelection) {
    this.consumer = consumer
    consumer.subscribe(topics)
    this.#reading = this.#read().catch((error: unknown) => {
      this.#failure = error as Error
    })
  }

  get records(): readonly ReadRecord[] {
    if (this.#failure !== undefined) throw this.#failure
    return this.#records
  }

  get values(): (string | null)[] {
    return valuesOfRecords(this.records)
  }

  /** The partitions that it has, by number. */
  get partitions(): number[] {
    if (this.#failure !== undefined) throw this.#failure
    return this.consumer.assignment.map(({ partition }) => partition).sort((a, b) => a - b)
  }

  /** Leaves the group. */
  async close(options?: CloseOptions): Promise<void> {
    await this.consumer.close(options)
    await this.#reading
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ leave: true })
  }

  async #read(): Promise<void> {
    for await (const batch of this.consumer) this.#records.push(...recordsOf([batch]))
  }
}
