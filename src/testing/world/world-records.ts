import type { Partition, Topic } from '../../broker/index.ts'
import { decodeRecord } from '../../contract/index.ts'
import type { Event, RawRecord, TopicContract } from '../../contract/index.ts'
import { RecordBatches } from '../../protocol/records/index.ts'
import type { Record as StoredRecord, RecordBatch } from '../../protocol/records/index.ts'

/** A record of a topic. */
export interface WorldRecord<Contracted extends Event = Event> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string | null>>
  /** By the topic's contract; undefined without one, for a tombstone, and for what cannot be read by it. */
  readonly event: Contracted | undefined
}

/** What could not be handled, as it stands in a dead-letter topic. */
export interface DeadLetter<Contracted extends Event = Event> extends WorldRecord<Contracted> {
  /** The message of the error. */
  readonly reason: string
  readonly errorClass: string
  /** Where the record was read. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly group: string
  /** How many runs it had. */
  readonly attempts: number
  /** How often it was dead-lettered. */
  readonly retryCount: number
  /** Whether it is in the topic of what nobody reads back by itself. */
  readonly isPoison: boolean
}

interface Read {
  readonly record: WorldRecord
  readonly raw: RawRecord
}

/** The committed records of a topic, partition after partition; with a contract they are decoded. */
export async function readTopic(
  topic: Topic,
  contract: TopicContract | undefined,
): Promise<WorldRecord[]> {
  return Promise.all(topic.partitions.flatMap(readPartition).map((read) => decoded(read, contract)))
}

/** The letters about records of a topic, in whichever topics they are. */
export async function readDeadLetters(
  topics: Iterable<Topic>,
  source: string,
  contract: TopicContract | undefined,
): Promise<DeadLetter[]> {
  const letters = [...topics]
    .filter(({ name, internal }) => name !== source && !internal)
    .flatMap((topic) => topic.partitions.flatMap(readPartition))
    .filter(({ record: { headers } }) => headers['source-topic'] === source)
    .filter(({ record: { headers } }) => headers['dlq-timestamp'] !== undefined)
  return Promise.all(
    letters.map(async (read) => {
      const record = await decoded(read, contract)
      const header = (name: string) => record.headers[name] ?? ''
      return {
        ...record,
        reason: header('error-message'),
        errorClass: header('error-class'),
        source: {
          topic: source,
          partition: Number(header('source-partition')),
          offset: Number(header('source-offset')),
        },
        group: header('consumer-group'),
        attempts: Number(header('attempts')),
        retryCount: Number(header('retry-count')),
        isPoison: record.headers['poison-timestamp'] !== undefined,
      }
    }),
  )
}

async function decoded(
  { record, raw }: Read,
  contract: TopicContract | undefined,
): Promise<WorldRecord> {
  if (contract === undefined) return record
  try {
    const fallbackId = () => `${record.topic}-${record.partition}-${record.offset}`
    const read = await decodeRecord(contract, raw, { fallbackId })
    return read.kind === 'event' ? { ...record, event: read.event } : record
  } catch {
    // Tests look at records that break their contract, too.
    return record
  }
}

const readBytes = 1024 * 1024
const decompressedBytesMax = 256 * 1024 * 1024

function readPartition({ topic, index, log }: Partition): Read[] {
  const found: Read[] = []
  for (let offset = log.logStartOffset; ;) {
    const request = { offset, isolation: 'committed', bytesMax: readBytes } as const
    const read = log.read({ ...request, atLeastOneBatch: true })
    if ('error' in read) throw new Error(`${topic.name}-${index}: ${read.message}`)
    if (read.bytes === 0) return found
    const aborted = [...(read.abortedTransactions ?? [])]
    const producers = new Set<number>()
    for (const batch of new RecordBatches(Buffer.concat(read.chunks))) {
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset) {
        producers.add((aborted.shift() as { producerId: number }).producerId)
      }
      if (batch.isControl) producers.delete(batch.producerId)
      else if (!batch.isTransactional || !producers.has(batch.producerId)) {
        found.push(...recordsIn(batch, topic.name, index))
      }
    }
    offset = read.nextOffset
  }
}

function recordsIn(batch: RecordBatch, topic: string, partition: number): Read[] {
  return [...batch.records(decompressedBytesMax)].map((stored) => {
    const { offset, timestamp, key, value, headers } = stored
    const record = {
      ...{ topic, partition, offset, timestamp },
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      headers: Object.fromEntries(
        headers.map((header) => [header.key, header.value?.toString() ?? null]),
      ),
      event: undefined,
    }
    return { record, raw: rawOf(stored) }
  })
}

function rawOf({ key, value, timestamp, headers }: StoredRecord): RawRecord {
  const header = (name: string) => headers.findLast((each) => each.key === name)?.value
  return { key, value, timestamp, headers, header }
}
