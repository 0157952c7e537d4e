/** What a case has: the library's client and another on one broker, and topics of its own. */
import { randomUUID } from 'node:crypto'
import type { Client } from '../../../src/client/index.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-options.ts'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { FetchedBatch } from '../../../src/client/consumer/fetched-batch.ts'
import { createNodePlatform } from '../../../src/platform/index.ts'
import { createTopicsApi } from '../../../src/protocol/index.ts'
import { WireClient } from '../../../src/testing/wire-client.ts'
import type { Counterpart, ToldRecord } from './counterpart.ts'

const patienceMs = 40_000
const pauseMs = 50

export interface World {
  readonly bootstrap: string
  readonly client: Client
  readonly other: Counterpart
}

export interface Case {
  readonly name: string
  readonly body: (world: World) => Promise<void>
}

export function uniqueName(base: string): string {
  return `${base}-${randomUUID().slice(0, 8)}`
}

export async function createTopic({ bootstrap }: World, partitions = 1): Promise<string> {
  const name = uniqueName('shared')
  const platform = createNodePlatform()
  const [host = '', port] = bootstrap.split(':')
  await using wire = await WireClient.connect({ platform, host, port: Number(port), clientId: 't' })
  await wire.request(createTopicsApi, 7, {
    topics: [
      { name, numPartitions: partitions, replicationFactor: -1, assignments: [], configs: [] },
    ],
  })
  return name
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not reached: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

export function toldOf(batches: readonly FetchedBatch[]): ToldRecord[] {
  const text = (bytes: Buffer | null) => bytes?.toString() ?? null
  return batches.flatMap((batch) =>
    [...batch].map(({ offset, key, value, headers }) => ({
      ...{ partition: batch.partition, offset, key: text(key), value: text(value) },
      headers: headers.map((header) => [header.key, text(header.value)] as const),
    })),
  )
}

/** Reads so many committed records from the beginning of partition 0. */
export async function readOurs(
  { client }: World,
  topic: string,
  count: number,
): Promise<ToldRecord[]> {
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  consumer.assign([{ topic, partition: 0 }])
  const records: ToldRecord[] = []
  while (records.length < count) records.push(...toldOf(await consumer.poll()))
  return records
}

/** A member of a group on our side, which commits what it has read before it reads on. */
export class OurMember implements AsyncDisposable {
  readonly records: ToldRecord[] = []
  readonly #consumer: Consumer
  readonly #reading: Promise<void>
  #failure: Error | undefined

  constructor({ client }: World, topic: string, options: Partial<ConsumerOptions>) {
    const settled = { offsetReset: 'earliest', heartbeatIntervalMs: 500, autoCommit: true } as const
    this.#consumer = client.consumer({ ...settled, ...options })
    this.#consumer.subscribe(topic)
    this.#reading = this.#read().catch((error: unknown) => {
      this.#failure = error as Error
    })
  }

  get partitions(): readonly number[] {
    if (this.#failure !== undefined) throw this.#failure
    return this.#consumer.assignment.map(({ partition }) => partition)
  }

  async leave(): Promise<void> {
    await this.#consumer.close({ leave: true })
    await this.#reading
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #read(): Promise<void> {
    for await (const batch of this.#consumer) this.records.push(...toldOf([batch]))
  }
}
