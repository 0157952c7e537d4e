import type { Client, TopicPartition } from '../../../src/client/index.ts'
import type { Lineage } from '../../../src/runtime/ledger/commit-metadata.ts'
import { told } from '../runtime/committed-log.ts'
import { machineTimeMs } from './journal.ts'
import type { ProcessWitness, SeenRecord } from './witness.ts'
import type { WorkerSlot } from './worker-slot.ts'

export interface SurveyParts {
  readonly client: Client
  readonly witness: ProcessWitness
  readonly slots: readonly WorkerSlot[]
  readonly topic: string
  readonly group: string
  readonly partitions: number
}

/** Looks at the group and the letters from outside, again and again, and has the witness compare them with the journals. */
export class Survey implements AsyncDisposable {
  readonly #parts: SurveyParts
  readonly #read = new Map<WorkerSlot['lives'][number], number>()
  #letters: LetterReader | undefined
  #lineage: Lineage | undefined

  constructor(parts: SurveyParts) {
    this.#parts = parts
  }

  /** Compares what is committed now with what was told before. Throws while the cluster does not answer. */
  async look(): Promise<ReadonlyMap<number, number>> {
    const { client, witness, slots, topic, group } = this.#parts
    const admin = client.admin()
    const lineage = (this.#lineage ??= await this.#findLineage())
    const offsets = await admin.groups.offsets(group)
    const atMs = machineTimeMs()
    // What these commits name was told, and its letters were there, before they were made.
    await this.#readLetters()
    for (const slot of slots) {
      slot.read()
      for (const life of slot.lives) {
        witness.told(life.lines.slice(this.#read.get(life) ?? 0))
        this.#read.set(life, life.lines.length)
      }
    }
    const frontiers = new Map<number, number>()
    for (const each of offsets) {
      if (each.topic !== topic || !('offset' in each)) continue
      frontiers.set(each.partition, each.offset)
      const { partition, offset, metadata } = each
      const commit = { topic, partition, offset, leaderEpoch: each.leaderEpoch ?? -1, metadata }
      witness.committed(partition, told('the group', commit, lineage), atMs)
    }
    return frontiers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#letters?.[Symbol.asyncDispose]()
  }

  async #findLineage(): Promise<Lineage> {
    const admin = this.#parts.client.admin()
    const [{ clusterId }, { id: topicId }] = await Promise.all([
      admin.cluster.describe(),
      admin.topics.describe(this.#parts.topic),
    ])
    return { clusterId, topicId }
  }

  async #readLetters(): Promise<void> {
    const { client, topic, witness } = this.#parts
    this.#letters ??= await LetterReader.open(client, topic)
    for (const { partition, offset, isPoison } of (await this.#letters?.read()) ?? []) {
      witness.lettered({ partition, offset })
      if (isPoison) witness.violations.push(`${partition}@${offset} was quarantined`)
    }
  }
}

interface FoundLetter {
  readonly partition: number
  readonly offset: number
  readonly isPoison: boolean
}

/**
 * Reads committed records, up to what was written when it is asked. What a decided transaction has written is seen with its
 * marker in each partition, and these come one by one: an offset can be committed, and its letter not be seen yet. So
 * the end is the end of what is written, and transactions that are open there are waited for.
 */
class CommittedReader implements AsyncDisposable {
  readonly #consumer
  readonly #written
  readonly #places: readonly TopicPartition[]

  constructor(client: Client, places: readonly TopicPartition[]) {
    this.#consumer = client.consumer({ offsetReset: 'earliest', isolation: 'read_committed' })
    this.#written = client.consumer({ offsetReset: 'earliest', isolation: 'read_uncommitted' })
    this.#consumer.assign(places)
    this.#places = places
  }

  async *read() {
    const ends = await this.#written.endOffsets(this.#places)
    while (ends.some((end) => (this.#consumer.position(end) ?? 0) < end.offset)) {
      yield* await this.#consumer.poll({ timeoutMs: 200 })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close()
    await this.#written.close()
  }
}

/** Reads letters as they come. */
class LetterReader implements AsyncDisposable {
  readonly #reader: CommittedReader

  private constructor(reader: CommittedReader) {
    this.#reader = reader
  }

  /** Undefined while the service has not made their topics. */
  static async open(client: Client, topic: string): Promise<LetterReader | undefined> {
    const admin = client.admin()
    const names = [`${topic}.dlq`, `${topic}.dlq-poison`]
    const known = (await admin.topics.list()).filter(({ name }) => names.includes(name))
    if (known.length < names.length) return undefined
    const described = await Promise.all(known.map(({ name }) => admin.topics.describe(name)))
    const places = described.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    )
    return new LetterReader(new CommittedReader(client, places))
  }

  /** All that has come up to now. */
  async read(): Promise<FoundLetter[]> {
    const found: FoundLetter[] = []
    for await (const batch of this.#reader.read()) {
      for (const record of batch) {
        const header = (name: string) => Number(record.header(name)?.toString())
        const place = { partition: header('source-partition'), offset: header('source-offset') }
        found.push({ ...place, isPoison: batch.topic.endsWith('-poison') })
      }
    }
    return found
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#reader[Symbol.asyncDispose]()
  }
}

/** All committed records of a topic. */
export async function readTopic(
  client: Client,
  topic: string,
  partitions: number,
): Promise<SeenRecord[]> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  await using reader = new CommittedReader(client, places)
  const records: SeenRecord[] = []
  for await (const batch of reader.read()) {
    for (const { offset, key, value } of batch) {
      const { partition } = batch
      records.push({ partition, offset, key: String(key), value: String(value) })
    }
  }
  return records
}
