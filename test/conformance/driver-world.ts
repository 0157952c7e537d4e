/** What the cases about drivers start with: the driver under test, and the library's own client beside it. */
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import type {
  Client,
  CloseOptions,
  ProducerRecord,
  TopicSelection,
} from '../../src/client/index.ts'
import { createKafkaJsDriver, createNativeDriver } from '../../src/driver/index.ts'
import type {
  Driver,
  DriverFeatures,
  RecordSink,
  RecordSource,
  SourceBatch,
  SourceOptions,
} from '../../src/driver/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { chosenImplementation, startImplementation } from './implementation.ts'
import type { Implementation } from './implementation.ts'
import { Port } from './port.ts'
import type { Addresses, Topic } from './port.ts'

export const driverMakers = {
  native: (bootstrap: string): Driver =>
    createNativeDriver({ brokers: bootstrap, log: silentLog, metadataMaxAgeMs: 2_000 }),
  kafkajs: (bootstrap: string): Driver => {
    const kafka = new Kafka({
      clientId: 'conformance',
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50 },
    })
    return createKafkaJsDriver(kafka)
  },
} as const

export type DriverName = keyof typeof driverMakers
export type Feature = keyof DriverFeatures

/** What a driver does. */
export interface DriverCase {
  /** The promise that the case is about, where a driver may not make it. */
  readonly feature?: Feature
  readonly run: (world: DriverWorld) => Promise<void>
  /** What a driver does that does not make the promise: the case fails when that is no longer so. */
  readonly without?: (world: DriverWorld) => Promise<void>
}

/** A record as it can be compared with another. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

const caseTimeoutMs = 60_000

/** Declares the cases for each driver. */
export function driverConformance(area: string, cases: Readonly<Record<string, DriverCase>>): void {
  const implementation = chosenImplementation()
  describe.concurrent.each(Object.keys(driverMakers) as DriverName[])(
    `${implementation}: ${area}, by the driver %s`,
    (name) => {
      let started: Implementation | undefined
      let addresses: Addresses | undefined = inject('conformanceAddresses')

      beforeAll(async () => {
        if (addresses !== undefined) return
        started = await startImplementation(implementation)
        addresses = started
      })
      afterAll(() => started?.[Symbol.asyncDispose]())

      const { features } = driverMakers[name]('127.0.0.1:1')
      for (const [caseName, { feature, run, without }] of Object.entries(cases)) {
        const reason = feature === undefined ? true : features[feature]
        const body = reason === true ? run : without
        if (body === undefined) throw new Error(`${caseName}: says nothing of drivers without it`)
        const title = reason === true ? caseName : `not so: ${caseName} (${reason})`
        it.concurrent(title, { timeout: caseTimeoutMs }, async () => {
          await using world = new DriverWorld(name, new Port(addresses))
          await body(world)
        })
      }
    },
  )
}

export class DriverWorld implements AsyncDisposable {
  readonly port: Port
  readonly driver: Driver
  /** The library's own client, for what is not the driver's business. */
  readonly client: Client
  readonly #name: DriverName
  readonly #drivers: Driver[] = []

  constructor(name: DriverName, port: Port) {
    this.#name = name
    this.port = port
    this.driver = this.newDriver()
    this.client = createClient({ brokers: port.bootstrap, log: silentLog })
  }

  newDriver(): Driver {
    const driver = driverMakers[this.#name](this.port.bootstrap)
    this.#drivers.push(driver)
    return driver
  }

  /** A source that reads from the beginning and soon. */
  source(
    groupId: string,
    options: Partial<SourceOptions> = {},
    driver = this.driver,
  ): RecordSource {
    return driver.source({
      groupId,
      offsetReset: 'earliest',
      fetchWaitMsMax: 50,
      heartbeatIntervalMs: 200,
      sessionTimeoutMs: 10_000,
      groupProtocol: 'classic',
      ...options,
    })
  }

  /** One that was subscribed, closed at the end. */
  async reader(
    topics: TopicSelection,
    options: Partial<SourceOptions> = {},
    groupId = this.port.name('group'),
  ): Promise<RecordSource & AsyncDisposable> {
    const source = this.source(groupId, options)
    source.subscribe(topics)
    return Promise.resolve(
      Object.assign(source, { [Symbol.asyncDispose]: () => source.close({ leave: true }) }),
    )
  }

  async send(records: readonly ProducerRecord[]): Promise<void> {
    await using producer = this.client.producer()
    await producer.send(records)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.close()))
    await this.client.close()
    await this.port[Symbol.asyncDispose]()
  }
}

export function placesOf(topic: Topic, count = 1) {
  return Array.from({ length: count }, (_, partition) => ({ topic: topic.name, partition }))
}

export function firstOf(topic: Topic) {
  return { topic: topic.name, partition: 0 }
}

/** `value-0` and so on, in one partition. */
export function numbered(topic: Topic, count: number, partition = 0): ProducerRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    topic: topic.name,
    partition,
    key: `key-${index}`,
    value: `value-${index}`,
  }))
}

export function valuesFrom(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, index) => `value-${first + index}`)
}

/** A topic with `value-0` and so on in each partition. */
export async function filled(world: DriverWorld, count: number, partitions = 1): Promise<Topic> {
  const topic = await world.port.topic({ partitions })
  const places = placesOf(topic, partitions)
  await world.send(places.flatMap(({ partition }) => numbered(topic, count, partition)))
  return topic
}

export function recordsOf(batches: readonly SourceBatch[]): ReadRecord[] {
  const text = (bytes: Buffer | null) => bytes?.toString() ?? null
  return batches.flatMap((batch) =>
    [...batch].map((record) => ({
      topic: batch.topic,
      partition: batch.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      key: text(record.key),
      value: text(record.value),
      headers: record.headers.map(({ key, value }) => [key, text(value)] as const),
    })),
  )
}

/** Polls until there are so many records. */
export async function readCount(source: RecordSource, count: number): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  while (records.length < count) records.push(...recordsOf(await source.poll()))
  return records
}

/** What it was rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Error) return error
  throw new Error('it was not rejected')
}

/** Closes a sink at the end of a case. */
export function disposable(sink: RecordSink): RecordSink & AsyncDisposable {
  return Object.assign(sink, { [Symbol.asyncDispose]: () => sink.close() })
}

/** A member of a group that reads and commits what it is given, until it is closed. */
export class Member implements AsyncDisposable {
  readonly source: RecordSource
  readonly records: ReadRecord[] = []
  readonly events: string[] = []
  readonly partitions = new Set<number>()
  readonly #reading: Promise<void>
  #isClosed = false

  constructor(world: DriverWorld, topic: Topic, groupId: string) {
    const told = (what: string, change: (partition: number) => void) => {
      return (places: readonly { readonly partition: number }[]) => {
        this.events.push(what)
        for (const { partition } of places) change(partition)
      }
    }
    this.source = world.source(groupId, {
      onAssigned: told('assigned', (partition) => this.partitions.add(partition)),
      onRevoked: told('revoked', (partition) => this.partitions.delete(partition)),
      onLost: told('lost', (partition) => this.partitions.delete(partition)),
    })
    this.source.subscribe(topic.name)
    this.#reading = this.#read()
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#isClosed = true
    await this.source.close(options)
    await this.#reading
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ leave: true })
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      const batches = await this.source.poll().catch((error: unknown) => {
        if (this.#isClosed) return []
        throw error
      })
      this.records.push(...recordsOf(batches))
      for (const { topic, partition, nextOffset, leaderEpoch } of batches) {
        const offset = { topic, partition, offset: nextOffset, leaderEpoch, metadata: '' }
        // What was lost meanwhile is read again by whoever has it now.
        await this.source.commit([offset]).catch(() => undefined)
      }
    }
  }
}
