/**
 * A case's way to the implementation under test: bare requests on connections of its own, to the
 * node that serves them. Whatever a case opens is closed with its port.
 */
import { randomUUID } from 'node:crypto'
import { createNodePlatform } from '../../src/platform/index.ts'
import {
  createTopicsApi,
  describeGroupsApi,
  describeTransactionsApi,
  findCoordinatorApi,
  kafkaErrorName,
  listOffsetsApi,
  metadataApi,
  type KafkaErrorName,
} from '../../src/protocol/index.ts'
import { WireClient } from '../../src/testing/wire-client.ts'
import { login } from './login.ts'

const platform = createNodePlatform()
const pauseMs = 20
const patienceMs = 45_000

export interface TopicOptions {
  /** @defaultValue one that nobody else uses */
  readonly name?: string
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface Topic {
  readonly name: string
  readonly id: string
}

/** Errors that mean that the cluster has not yet settled, never the answer to a request. */
const unsettled: ReadonlySet<KafkaErrorName> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** Where an implementation listens. */
export interface Addresses {
  readonly bootstrap: string
  readonly saslBootstrap: string | undefined
  /** As whom to log in everywhere, where nobody is let in without. */
  readonly login?: { readonly user: string; readonly password: string }
}

export class Port implements AsyncDisposable {
  readonly #addresses: Addresses
  readonly #clients: WireClient[] = []
  #any: Promise<WireClient> | undefined

  constructor(addresses: Addresses | undefined) {
    if (addresses === undefined) throw new Error('the implementation was not started')
    this.#addresses = addresses
  }

  /** Addresses of all nodes, separated by commas. */
  get bootstrap(): string {
    return this.#addresses.bootstrap
  }

  /** The same, of the listeners that ask for a login. */
  get saslBootstrap(): string {
    const addresses = this.#addresses.saslBootstrap
    if (addresses === undefined) throw new Error('the implementation has no listener with logins')
    return addresses
  }

  /** The address of a listener that asks for a login. */
  get saslAddress(): string {
    return this.saslBootstrap.split(',')[0] ?? ''
  }

  /** A name that no other case uses. */
  name(base: string): string {
    return `${base}-${randomUUID().slice(0, 8)}`
  }

  /** A connection to some node, the same at each call. */
  any(): Promise<WireClient> {
    this.#any ??= this.connect()
    return this.#any
  }

  /** A new connection, to some node unless an address is given. */
  async connect(address?: string): Promise<WireClient> {
    const client = await this.connectWithoutLogin(address)
    if (this.#addresses.login !== undefined) await login(client, this.#addresses.login)
    return client
  }

  /** The same, by somebody who has yet to log in where that is asked for. */
  async connectWithoutLogin(
    address = this.#addresses.bootstrap.split(',')[0] ?? '',
  ): Promise<WireClient> {
    const colon = address.lastIndexOf(':')
    const host = address.slice(0, colon)
    const port = Number(address.slice(colon + 1))
    const client = await WireClient.connect({ platform, host, port, clientId: 'conformance' })
    this.#clients.push(client)
    return client
  }

  /** A new connection to the leader of a partition. */
  async leader(topic: string, partition = 0): Promise<WireClient> {
    const metadata = await this.#metadata(topic)
    const described = metadata.topics[0]?.partitions.find((one) => one.partitionIndex === partition)
    const node = metadata.brokers.find((broker) => broker.nodeId === described?.leaderId)
    if (node === undefined) throw new Error(`${topic} ${partition} has no leader`)
    return this.connect(`${node.host}:${node.port}`)
  }

  /** A new connection to the coordinator of a group or transactional id, which has loaded it. */
  async coordinator(kind: 'group' | 'transaction', key: string): Promise<WireClient> {
    const client = await this.any()
    const keyType = kind === 'group' ? 0 : 1
    return this.eventually(`a coordinator for ${key}`, async () => {
      const found = await client.request(findCoordinatorApi, 3, { key, keyType })
      if (found.errorCode !== 0) return undefined
      const coordinator = await this.connect(`${found.host}:${found.port}`)
      const error = kafkaErrorName(await probe(coordinator, kind, key))
      return unsettled.has(error) ? undefined : coordinator
    })
  }

  /** Creates a topic and waits until its leaders serve it. */
  async topic(options: TopicOptions = {}): Promise<Topic> {
    const { name = this.name('topic'), partitions: numPartitions = 1, configs = {} } = options
    const client = await this.any()
    const answer = await client.request(createTopicsApi, 7, {
      topics: [
        {
          name,
          numPartitions,
          replicationFactor: -1,
          assignments: [],
          configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
        },
      ],
    })
    const created = answer.topics[0]
    if (created?.errorCode !== 0) {
      throw new Error(`${name} was not created: ${kafkaErrorName(created?.errorCode ?? -1)}`)
    }
    await this.eventually(`${name} is served`, () => this.#isServed(name, numPartitions))
    return { name, id: created.topicId }
  }

  /** Repeats a step until it answers something, while the cluster may need a moment. */
  async eventually<Answer>(what: string, step: () => Promise<Answer | undefined>): Promise<Answer> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const answer = await step()
      if (answer !== undefined) return answer
      if (Date.now() > deadline) throw new Error(`not reached: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  /** Repeats a request while the error that `code` finds in its answer only says "not yet". */
  settled<Answer>(
    request: () => Promise<Answer>,
    code: (answer: Answer) => number,
    alsoNotYet: readonly KafkaErrorName[] = [],
  ): Promise<Answer> {
    return this.eventually('the cluster has settled', async () => {
      const answer = await request()
      const error = kafkaErrorName(code(answer))
      return unsettled.has(error) || alsoNotYet.includes(error) ? undefined : answer
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()))
  }

  async #metadata(topic: string) {
    const client = await this.any()
    return client.request(metadataApi, 9, { topics: [{ name: topic }] })
  }

  /** Whether every broker knows the topic, and its leaders serve it. */
  async #isServed(name: string, partitionCount: number): Promise<true | undefined> {
    const { brokers, topics } = await this.#metadata(name)
    const partitions = topics[0]?.partitions ?? []
    if (partitions.length < partitionCount) return undefined
    for (const { host, port } of brokers) {
      await using broker = await this.connect(`${host}:${port}`)
      const known = await broker.request(metadataApi, 9, { topics: [{ name }] })
      if (known.topics[0]?.partitions.length !== partitionCount) return undefined
    }
    for (const { partitionIndex, leaderId } of partitions) {
      if (leaderId < 0) return undefined
      const leader = await this.leader(name, partitionIndex)
      const answer = await leader.request(listOffsetsApi, 4, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name, partitions: [{ partitionIndex, timestamp: -1 }] }],
      })
      if (answer.topics[0]?.partitions[0]?.errorCode !== 0) return undefined
    }
    return true
  }
}

/** Asks a coordinator about a key, which changes nothing; answers the error code. */
async function probe(
  coordinator: WireClient,
  kind: 'group' | 'transaction',
  key: string,
): Promise<number> {
  if (kind === 'group') {
    const answer = await coordinator.request(describeGroupsApi, 5, { groups: [key] })
    return answer.groups[0]?.errorCode ?? 0
  }
  const request = { transactionalIds: [key] }
  const answer = await coordinator.request(describeTransactionsApi, 0, request)
  return answer.transactionStates[0]?.errorCode ?? 0
}
