import { fetchApi, kafkaError } from '../../src/protocol/index.ts'
import { RecordBatches, readControlRecord } from '../../src/protocol/records/index.ts'
import type { RecordBatch } from '../../src/protocol/records/index.ts'
import type { HistoryRecorder, PolledRecord } from '../../src/testing/index.ts'
import { ConnectionLost } from './broker-session.ts'
import type { BrokerSession } from './broker-session.ts'

export interface ReaderWorkload {
  readonly name: string
  readonly session: BrokerSession
  readonly history: HistoryRecorder
  readonly topic: string
  readonly partitions: readonly number[]
  readonly goesOn: () => boolean
}

const readCommitted = 1
const decompressedBytesMax = 1 << 20

/** Where a reader is in one partition, and which aborted transactions it is in the middle of. */
interface Position {
  readonly offset: number
  /** What the broker last said is stable: the reader has seen everything when it is there. */
  readonly lastStableOffset: number
}

/** Reads committed records of its partitions from the start, until it is told to stop. */
export class Reader {
  readonly #workload: ReaderWorkload
  readonly #positions = new Map<number, Position>()

  constructor(workload: ReaderWorkload) {
    this.#workload = workload
    const { history, name, topic } = workload
    for (const partition of workload.partitions) {
      this.#positions.set(partition, { offset: 0, lastStableOffset: -1 })
    }
    history.note({
      kind: 'assign',
      process: name,
      partitions: workload.partitions.map((partition) => ({ topic, partition })),
    })
  }

  /** Whether everything that was stable at the last poll has been read, and nothing was open. */
  get atEnd(): boolean {
    return [...this.#positions.values()].every(
      (position) => position.lastStableOffset === position.offset,
    )
  }

  async run(): Promise<void> {
    while (this.#workload.goesOn()) await this.poll()
  }

  async poll(): Promise<void> {
    const { session, history, name } = this.#workload
    const polled = history.begin({ kind: 'poll', process: name })
    try {
      polled.ok({ records: await this.#fetch() })
    } catch (error) {
      polled.failed(error)
      if (!(error instanceof ConnectionLost)) throw error
      await session.platform.clock.sleep(50)
    }
  }

  async #fetch(): Promise<PolledRecord[]> {
    const { session, topic } = this.#workload
    const from = new Map([...this.#positions].map(([partition, { offset }]) => [partition, offset]))
    const fetched = await fetchCommitted(session, topic, from)
    return fetched.flatMap(({ partition, lastStableOffset, nextOffset, records }) => {
      this.#positions.set(partition, { offset: nextOffset, lastStableOffset })
      return records
    })
  }

  /** Polls once for each partition that a final read still has to finish. */
  async readToEnd(): Promise<void> {
    do await this.poll()
    while (!this.atEnd && this.#workload.goesOn())
  }
}

/** What one fetch has found in a partition. */
export interface FetchedPartition {
  readonly partition: number
  readonly lastStableOffset: number
  /** Where to go on. */
  readonly nextOffset: number
  readonly records: readonly CommittedRecord[]
}

export interface CommittedRecord extends PolledRecord {
  readonly value: string
}

/** Fetches from offsets by partition; partitions that cannot be read right now are left out. */
export async function fetchCommitted(
  session: BrokerSession,
  topic: string,
  from: ReadonlyMap<number, number>,
): Promise<FetchedPartition[]> {
  const response = await session.request(fetchApi, 12, {
    maxWaitMs: 200,
    minBytes: 1,
    isolationLevel: readCommitted,
    topics: [
      {
        topic,
        partitions: [...from].map(([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          partitionMaxBytes: 64 * 1024,
        })),
      },
    ],
  })
  return response.responses.flatMap(({ partitions }) =>
    partitions.flatMap((fetched) => {
      const { partitionIndex: partition, errorCode, lastStableOffset } = fetched
      const offset = from.get(partition)
      if (offset === undefined) throw new Error(`nobody asked for ${partition}`)
      if (errorCode === kafkaError.OFFSET_OUT_OF_RANGE) {
        throw new Error(`${topic}-${partition} no longer has offset ${offset}`)
      }
      if (errorCode !== kafkaError.NONE) return []
      const aborted = fetched.abortedTransactions ?? []
      const read = committedRecords(fetched.records ?? Buffer.alloc(0), offset, aborted)
      const records = read.records.map((record) => ({ topic, partition, ...record }))
      const nextOffset = Math.max(offset, read.nextOffset)
      return [{ partition, lastStableOffset, nextOffset, records }]
    }),
  )
}

interface Aborted {
  readonly producerId: number
  readonly firstOffset: number
}

/** Leaves markers and the records of aborted transactions out, as a client has to. */
function committedRecords(
  bytes: Buffer,
  from: number,
  aborted: readonly Aborted[],
): { records: { offset: number; value: string }[]; nextOffset: number } {
  const waiting = [...aborted]
  const abortedProducers = new Set<number>()
  const records: { offset: number; value: string }[] = []
  let nextOffset = from
  for (const batch of new RecordBatches(bytes)) {
    nextOffset = batch.nextOffset
    while (waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset) {
      abortedProducers.add((waiting.shift() as Aborted).producerId)
    }
    if (batch.isControl) {
      if (isAbort(batch)) abortedProducers.delete(batch.producerId)
      continue
    }
    if (batch.isTransactional && abortedProducers.has(batch.producerId)) continue
    for (const record of batch.records(decompressedBytesMax)) {
      if (record.offset < from) continue
      records.push({ offset: record.offset, value: record.value?.toString() ?? '' })
    }
  }
  return { records, nextOffset }
}

function isAbort(batch: RecordBatch): boolean {
  const [record] = [...batch.records(decompressedBytesMax)]
  return record !== undefined && readControlRecord(record).type === 'abort'
}
