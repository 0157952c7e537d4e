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

/** Reads letters as they come. */
class LetterReader implements AsyncDisposable {
  readonly #consumer
  readonly #places: readonly TopicPartition[]

  private constructor(client: Client, places: readonly TopicPartition[]) {
    this.#consumer = client.consumer({ offsetReset: 'earliest', isolation: 'read_committed' })
    this.#consumer.assign(places)
    this.#places = places
  }

  /** Undefined while the service has not made their topics. */
  static async open(client: Client, topic: string): Promise<LetterReader | undefined> {
    const admin = client.admin()
    const names = [`${topic}.dlq`, `${topic}.dlq-poison`]
    const known = (await admin.topics.list()).filter(({ name }) => names.includes(name))
    if (known.length < names.length) return undefined
    const described = await Promise.all(known.map(({ name }) => admin.topics.describe(name)))
    return new LetterReader(
      client,
      described.flatMap(({ name, partitions }) =>
        partitions.map(({ partition }) => ({ topic: name, partition })),
      ),
    )
  }

  /** All that has come up to now. */
  async read(): Promise<FoundLetter[]> {
    const ends = await this.#consumer.endOffsets(this.#places)
    const found: FoundLetter[] = []
    while (ends.some((end) => (this.#consumer.position(end) ?? 0) < end.offset)) {
      for (const batch of await this.#consumer.poll({ timeoutMs: 200 })) {
        for (const record of batch) {
          const header = (name: string) => Number(record.header(name)?.toString())
          const place = { partition: header('source-partition'), offset: header('source-offset') }
          found.push({ ...place, isPoison: batch.topic.endsWith('-poison') })
        }
      }
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close()
  }
}

/** All committed records of a topic. */
export async function readTopic(
  client: Client,
  topic: string,
  partitions: number,
): Promise<SeenRecord[]> {
  await using consumer = client.consumer({ offsetReset: 'earliest', isolation: 'read_committed' })
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(places)
  const ends = await consumer.endOffsets(places)
  const records: SeenRecord[] = []
  while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
    for (const batch of await consumer.poll({ timeoutMs: 200 })) {
      for (const { offset, key, value } of batch) {
        const { partition } = batch
        records.push({ partition, offset, key: String(key), value: String(value) })
      }
    }
  }
  return records
}
