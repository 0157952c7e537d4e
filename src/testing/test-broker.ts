import { closeConnection, startBroker as startEmbeddedBroker } from '../broker/index.ts'
import type {
  BrokerOptions,
  EmbeddedBroker,
  InterceptedRequest,
  Interceptor,
  Partition,
} from '../broker/index.ts'
import { OptionError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { createNodePlatform } from '../platform/index.ts'
import { apis } from '../protocol/index.ts'
import { ControlledClock } from './controlled-clock.ts'
import { readPartition } from './read-partition.ts'
import type { StoredBatch, StoredEvent } from './read-partition.ts'

export { closeConnection }

export interface TestBrokerOptions extends BrokerOptions {
  /**
   * Whether `requests` keeps what clients send. It holds every request in memory.
   * @defaultValue false
   */
  readonly recordRequests?: boolean
}

/** The name of an API as Kafka has it, `'Produce'`, or its key. */
export type ApiName = string | number

/**
 * An embedded broker with a test's hands on it: any request can be watched, changed, delayed or
 * lost; leaders, nodes and time move when the test says so.
 */
export class TestBroker implements AsyncDisposable {
  readonly #broker: EmbeddedBroker
  readonly #clock: ControlledClock
  readonly #requests: InterceptedRequest[] = []

  constructor(broker: EmbeddedBroker, clock: ControlledClock, recordRequests: boolean) {
    this.#broker = broker
    this.#clock = clock
    if (recordRequests) {
      broker.interceptors.add((request, proceed) => {
        this.#requests.push(request)
        return proceed()
      })
    }
  }

  /** What clients are told to connect to first, `'127.0.0.1:40123'`; several nodes with commas. */
  get bootstrap(): string {
    return this.#broker.bootstrap
  }

  /** Resolves when the broker has failed, with the reason; never, if it does not. */
  get failure(): Promise<Error> {
    return this.#broker.failure
  }

  /**
   * Puts a function between the requests of an API and their handler; undefined takes all APIs.
   * The last one added sees a request first. Disposing of what is answered takes it away.
   *
   * @example
   * // The write takes effect, its answer is lost.
   * using lost = kafka.intercept('Produce', async (request, proceed) => {
   *   await proceed()
   *   return closeConnection
   * })
   */
  intercept(api: ApiName | undefined, interceptor: Interceptor): Disposable {
    const key = api === undefined ? undefined : apiKey(api)
    const remove = this.#broker.interceptors.add((request, proceed) =>
      key === undefined || request.apiKey === key ? interceptor(request, proceed) : proceed(),
    )
    return { [Symbol.dispose]: remove }
  }

  /** What clients have sent so far, in the order of arrival (with `recordRequests`). */
  requests(api?: ApiName): readonly InterceptedRequest[] {
    if (api === undefined) return [...this.#requests]
    const key = apiKey(api)
    return this.#requests.filter((request) => request.apiKey === key)
  }

  /** Makes a topic. */
  async createTopic(
    name: string,
    options: { partitions?: number; replicas?: number; configs?: Record<string, string> } = {},
  ): Promise<void> {
    const made = await this.#broker.cluster.createTopic({
      name,
      partitions: options.partitions ?? -1,
      replicationFactor: options.replicas ?? -1,
      configs: new Map(Object.entries(options.configs ?? {})),
    })
    if ('error' in made) throw new OptionError('topic', `'${name}' cannot be made: ${made.message}`)
  }

  /** Moves the leader of a partition to another of its replicas. */
  moveLeader(topic: string, partition: number, nodeId: number): void {
    this.#broker.cluster.moveLeader(this.#partition(topic, partition), nodeId)
  }

  /** Moves the coordinator of a group or of a transactional id. */
  moveCoordinator(kind: 'group' | 'transaction', id: string, nodeId: number): void {
    const partition = this.#broker.cluster.coordinator(kind, id)
    if (partition === undefined) {
      throw new OptionError('id', `('${id}') has no coordinator yet: nobody has asked for one`)
    }
    this.#broker.cluster.moveLeader(partition, nodeId)
  }

  /** The node that leads a partition, -1 when none does. */
  leader(topic: string, partition: number): number {
    return this.#partition(topic, partition).leader
  }

  /** Takes a node away; `abruptly` cuts its connections where they are. */
  stopNode(id: number, how?: 'gently' | 'abruptly'): Promise<void> {
    return this.#broker.stopNode(id, how)
  }

  /** Brings a node back on the port that it had. */
  async startNode(id: number): Promise<void> {
    await this.#broker.startNode(id)
  }

  /** Cuts the connections of a node, or of all. */
  dropConnections(id?: number): void {
    this.#broker.dropConnections(id)
  }

  /** Lets the session of a group's member end now, as if nothing had been heard of it for long. */
  async expireSession(groupId: string, memberId: string): Promise<void> {
    if (await this.#broker.groups.expireMember(groupId, memberId)) return
    throw new OptionError('memberId', `('${memberId}') is not a member of group '${groupId}'`)
  }

  /** Removes what is older or more than the topics' retention allows, now. */
  applyRetention(): Promise<void> {
    return this.#broker.housekeeping.applyRetention()
  }

  /** Compacts every compacted topic, now. */
  compact(): Promise<void> {
    return this.#broker.housekeeping.compact(true)
  }

  /** Expires committed offsets whose time has come, now. */
  expireOffsets(): Promise<void> {
    return this.#broker.housekeeping.expireOffsets()
  }

  /** Aborts transactions that have timed out, now. */
  abortTimedOutTransactions(): Promise<void> {
    return this.#broker.transactions.abortTimedOut()
  }

  /** The broker's time, in milliseconds since the epoch. */
  now(): number {
    return this.#clock.now()
  }

  /** Moves the broker's time ahead. What becomes due meanwhile (a session's end, a check) happens. */
  advanceTime(ms: number): Promise<void> {
    return this.#clock.advance(ms)
  }

  /** The records of a partition, of all producers, committed or not; markers left out. */
  records(topic: string, partition = 0): StoredEvent[] {
    return this.batches(topic, partition).flatMap((batch) => batch.records)
  }

  /** The batches of a partition as they are stored, markers included. */
  batches(topic: string, partition = 0): StoredBatch[] {
    return readPartition(this.#partition(topic, partition).log)
  }

  close(): Promise<void> {
    return this.#broker.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#broker.cluster.partition(topic, index)
    if (partition !== undefined) return partition
    throw new OptionError('partition', `${topic}-${index} does not exist`)
  }
}

/**
 * Starts a broker for a test, in memory and on a free port unless told otherwise.
 *
 * @example
 * await using kafka = await startBroker({ nodes: 3 })
 * const client = new Kafka({ brokers: kafka.bootstrap.split(',') })
 */
export async function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { recordRequests = false, ...brokerOptions } = options
  const platform = options.platform ?? createNodePlatform()
  const clock = new ControlledClock(platform.clock)
  const broker = await startEmbeddedBroker({ ...brokerOptions, platform: { ...platform, clock } })
  return new TestBroker(broker, clock, recordRequests)
}

function apiKey(api: ApiName): number {
  const found = apis.find(({ key, name }) => key === api || name === api)
  if (found !== undefined) return found.key
  const meant = nearest(
    String(api),
    apis.map(({ name }) => name),
  )
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`
  throw new OptionError('api', `(${api}) is not known${hint}`)
}
