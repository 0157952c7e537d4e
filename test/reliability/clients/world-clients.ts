/** Which clients live in a world, by its shape. */
import type { ConsumerOptions } from '../../../src/client/index.ts'
import type { KafkaCluster } from '../../../src/client/cluster/kafka-cluster.ts'
import type { ProducerOptions } from '../../../src/client/producer/producer-options.ts'
import type { Platform } from '../../../src/platform/index.ts'
import type { HistoryRecorder, SeededRandom, Simulation } from '../../../src/testing/index.ts'
import { simulated } from '../broker-simulation.ts'
import { readAndJump } from '../consumer-clients.ts'
import { SendingClient } from '../idempotent-clients.ts'
import { connectCluster, runTransactions } from '../transactional-clients.ts'
import { runCommittingMember } from './committing-member.ts'
import type { Tally } from './exercised.ts'
import type { Ownership } from './ownership.ts'
import type { WorldShape } from './shape.ts'
import { runTransformingMember } from './transforming-member.ts'
import { watchPlatform } from './watched-platform.ts'

const { topic, target, partitions, brokerHost, port } = simulated

/** The group of a world that has one. */
export const groupName = 'group'

const transactionTimeoutMs = 1_200
const requestTimeoutMs = 800
const sessionTimeoutMs = 1_500

export interface WorldClientsOptions {
  readonly simulation: Simulation
  readonly random: SeededRandom
  readonly shape: WorldShape
  readonly history: HistoryRecorder
  readonly tally: Tally
  readonly ownership: Ownership
  /** Whether those who write go on. */
  readonly writersGoOn: () => boolean
  /** Whether those who work on what was written go on. */
  readonly membersGoOn: () => boolean
}

/** A process on a host of its own; each of its lives has a name of its own in the history. */
type Run = (cluster: KafkaCluster, name: string) => Promise<void>

export class WorldClients {
  readonly writers: string[] = []
  readonly members: string[] = []
  /** Each life that came to its own end: whatever it has begun must have ended. */
  readonly ended = new Set<string>()
  readonly #options: WorldClientsOptions

  constructor(options: WorldClientsOptions) {
    this.#options = options
  }

  start(): void {
    const { load } = this.#options.shape
    if (load === 'producers') this.#startProducers()
    else if (load === 'transactions') this.#startTransactions()
    else if (load.endsWith('transformers')) this.#startTransformers()
    else this.#startGroup()
  }

  /** Those of them that have not come to their end. */
  running(names: readonly string[]): readonly string[] {
    const { simulation } = this.#options
    return names.filter((name) => simulation.host(name).process(name)?.state !== 'ended')
  }

  #startProducers(): void {
    const { random } = this.#options
    for (const kind of ['patient', 'hasty', 'small', 'compressing'] as const) {
      // Three of the four.
      if (kind !== 'patient' && random.integer(3) === 0) continue
      this.#writer(`${kind}-producer`, (cluster, name) => this.#send(cluster, name, kinds[kind]))
    }
    this.#reader()
  }

  #startTransactions(): void {
    // Two have the same transactional id: they take it from each other.
    this.#startTransactional('transactional-1', 'first')
    this.#startTransactional('transactional-2', 'second')
    this.#startTransactional('transactional-3', 'second')
    this.#reader()
  }

  #startGroup(): void {
    this.#startWriters()
    const options = this.#groupOptions()
    const isAutomatic = this.#options.random.integer(3) === 0
    const count = 2 + this.#options.random.integer(2)
    for (let number = 1; number <= count; number++) {
      this.#member(`member-${number}`, (cluster, name) =>
        runCommittingMember({
          ...this.#common(cluster, name),
          consumer: {
            ...options(number),
            ...(isAutomatic ? { autoCommit: { intervalMs: 200 } } : {}),
          },
        }),
      )
    }
  }

  #startTransformers(): void {
    this.#startWriters()
    const options = this.#groupOptions()
    for (const number of [1, 2]) {
      const transactionalId = `transformer-${number}`
      this.#member(transactionalId, (cluster, name) =>
        runTransformingMember({
          ...this.#common(cluster, name),
          ...{ target, transactionalId, transactionTimeoutMs },
          consumer: options(number),
        }),
      )
    }
  }

  #startWriters(): void {
    this.#writer('patient-producer', (cluster, name) => this.#send(cluster, name, kinds.patient))
    this.#startTransactional('transactional-1', 'first')
  }

  #startTransactional(name: string, transactionalId: string): void {
    const { history, writersGoOn: goesOn } = this.#options
    this.#writer(name, (cluster, life) =>
      runTransactions({
        ...{ cluster, history, topic, partitions, goesOn, transactionalId, transactionTimeoutMs },
        name: life,
        pauseMs: 120,
      }),
    )
  }

  /** One that is told what to read, and jumps about in it. */
  #reader(): void {
    const { history, writersGoOn: goesOn } = this.#options
    this.#writer('jumping', (cluster, name) => readAndJump({ cluster, history, name, goesOn }))
  }

  async #send(cluster: KafkaCluster, name: string, options: ProducerOptions): Promise<void> {
    const { history, writersGoOn: goesOn } = this.#options
    await new SendingClient({ cluster, history, name, goesOn }, options).run()
  }

  #common(cluster: KafkaCluster, name: string) {
    const { history, tally, ownership, membersGoOn: goesOn } = this.#options
    return { cluster, history, tally, ownership, name, topic, goesOn, group: groupName }
  }

  /** What the members of the world's group have in common, and the names of static ones. */
  #groupOptions(): (number: number) => Partial<ConsumerOptions> {
    const { random, shape } = this.#options
    const common = { rebalanceTimeoutMs: sessionTimeoutMs, processingTimeoutMs: 800 }
    const isStatic = random.integer(4) === 0
    const identity = (number: number) => (isStatic ? { groupInstanceId: `instance-${number}` } : {})
    if (shape.load.startsWith('consumer')) {
      const groupProtocol = random.pick(['consumer', 'auto'] as const) ?? 'auto'
      return (number) => ({ ...common, ...identity(number), groupProtocol })
    }
    const eager = random.pick(['range', 'roundrobin', 'sticky'] as const) ?? 'range'
    const assignor = shape.load === 'eager group' ? eager : 'cooperative-sticky'
    return (number) => ({
      ...{ ...common, ...identity(number), sessionTimeoutMs, heartbeatIntervalMs: 150 },
      groupProtocol: 'classic',
      assignors: [assignor],
    })
  }

  #writer(name: string, run: Run): void {
    this.writers.push(name)
    this.#client(name, run)
  }

  #member(name: string, run: Run): void {
    this.members.push(name)
    this.#client(name, run)
  }

  #client(name: string, run: Run): void {
    const { simulation, shape } = this.#options
    let lives = 0
    simulation.host(name).start(name, async (platform: Platform) => {
      lives += 1
      const life = `${name}.${lives}`
      const watched = watchPlatform(platform)
      {
        await using cluster = connectCluster({
          ...{ platform: watched.platform, host: brokerHost, port, clientId: life },
          ...{ nodes: shape.nodes, requestTimeoutMs },
        })
        await run(cluster, life)
      }
      // What was rejected by the close is still being told.
      await platform.clock.sleep(1)
      const held = watched.held()
      if (held.length > 0)
        throw new Error(`${life} has closed everything, and still holds ${held.join(', ')}`)
      this.ended.add(life)
    })
  }
}

/** What tells producers apart: time for many retries or for few, and room for many or few. */
const kinds = {
  patient: { deliveryTimeoutMs: 20_000 },
  hasty: { deliveryTimeoutMs: 500, lingerMs: 0 },
  small: { deliveryTimeoutMs: 1_500, batchBytesMax: 256, bufferBytesMax: 3_000, lingerMs: 20 },
  compressing: { deliveryTimeoutMs: 4_000, compression: 'lz4', lingerMs: 30 },
} as const satisfies Record<string, ProducerOptions>
