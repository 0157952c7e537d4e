import { closeConnection, startBroker } from '../../../src/broker/index.ts'
import type { EmbeddedBroker, InterceptedRequest, Outcome } from '../../../src/broker/index.ts'
import { createNativeDriver } from '../../../src/driver/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { kafkaError, offsetCommitApi } from '../../../src/protocol/index.ts'
import { runScenario, SeededRandom } from '../../../src/testing/index.ts'
import type { FaultKind, ScenarioResult, Simulation } from '../../../src/testing/index.ts'
import type { Narrate } from '../clients/narration.ts'
import { addCommitFaults } from './commit-faults.ts'
import type { OffsetCommit, OffsetCommitAnswer } from './commit-faults.ts'
import { readLetters } from './letters.ts'
import { kindIn, makeRecords } from './records.ts'
import { deathProbability, faultsOf, shapeOf } from './shape.ts'
import type { RuntimeShape } from './shape.ts'
import { shortTimes } from './short-times.ts'
import { Witness } from './witness.ts'
import { runWorker } from './worker.ts'

export interface RuntimeSimulationResult extends ScenarioResult {
  readonly shape: RuntimeShape
  readonly figures: Readonly<Record<string, number>>
}

const brokerHost = 'broker'
const port = 9092
const brokers = `${brokerHost}:${port}`
const topic = 'orders'
const partitions = 3
const startsWithinMs = 5_000
const healsWithinMs = 600_000
/** What a fault may have done to a member of a group shows for so long: sessions and rebalances. */
const aftermathMs = 6_000
const outage = { fromMs: 1_000, lastsMs: 300_000 }

/** How a seed is run again, with all that happens in it. */
export const replayRuntime = (seed: number) =>
  `npm run simulate -- --runtime --seed ${seed} --trace`

/**
 * Processes that run consumers of the runtime beside each other, and everything that may happen to them: which of it
 * follows from the seed. A witness holds each of their steps against the semantics. In the end all records
 * have ended, everything is committed, all processes have closed in order, and none of them holds anything.
 */
export async function simulateRuntime(
  seed: number,
  narrate?: Narrate,
): Promise<RuntimeSimulationResult> {
  const world = new RuntimeWorld(seed, narrate)
  const result = await runScenario({
    seed,
    setup: (simulation) => world.start(simulation),
    faults: { ...faultsOf(world.shape), onFault: (kind, whom) => world.befallen(kind, whom) },
    healing: { withinMs: healsWithinMs },
    progress: () => world.isDone,
    verify: () => world.verify(),
    replayCommand: replayRuntime,
  })
  return { ...result, shape: world.shape, figures: world.witness.figures }
}

class RuntimeWorld {
  isDone = false
  readonly shape: RuntimeShape
  readonly witness: Witness
  readonly #random: SeededRandom
  readonly #narrate: Narrate | undefined
  #simulation: Simulation | undefined
  #broker: EmbeddedBroker | undefined
  #beganMs = Infinity
  #faultsEndMs = Infinity
  #isWritten = false
  #isEnding = false
  #letters: ReadonlySet<string> = new Set()
  /** Lives that have come to their end in order. */
  readonly #closed = new Set<string>()
  /** By name of a worker: how long what befell it may show. */
  readonly #disturbedUntilMs = new Map<string, number>()
  readonly #lives = new Map<string, number>()
  readonly #lifeEndsMs = new Map<string, number>()

  constructor(seed: number, narrate: Narrate | undefined) {
    this.#narrate = narrate
    this.#random = new SeededRandom(seed, 'runtime')
    this.shape = shapeOf(seed)
    this.witness = new Witness({
      shape: this.shape,
      topic,
      tell: this.#tell,
      nowMs: () => this.#nowMs,
      isOutage: () => this.#isOutage,
      lineage: () => ({ clusterId: this.#broker?.cluster.id, topicId: this.#topic?.id }),
      isAlive: (life) => this.#isAlive(life),
      wasDisturbed: (life) => (this.#disturbedUntilMs.get(nameOf(life)) ?? -1) > this.#nowMs,
    })
  }

  readonly #tell = (who: string, what: () => string): void =>
    this.#narrate?.(this.#nowMs, who, what)

  get #nowMs(): number {
    return this.#simulation?.nowMs ?? 0
  }

  get #topic() {
    return this.#broker?.cluster.topic(topic)
  }

  get #isOutage(): boolean {
    const sinceMs = this.#nowMs - this.#beganMs - outage.fromMs
    return this.shape.weather === 'outage' && sinceMs >= 0 && sinceMs < outage.lastsMs
  }

  get #workers(): readonly string[] {
    return Array.from({ length: this.shape.workers }, (_, index) => `worker-${index + 1}`)
  }

  async start(simulation: Simulation): Promise<void> {
    this.#simulation = simulation
    this.#tell('world', () => JSON.stringify(this.shape))
    simulation.host(brokerHost).start('broker', (platform) => this.#runBroker(platform))
    await simulation.runUntil(() => this.#broker !== undefined, { withinMs: startsWithinMs })
    this.#beganMs = this.#nowMs
    this.#faultsEndMs = this.#nowMs + faultsOf(this.shape).durationMs
    simulation.host('producer').start('producer', (platform) => this.#produce(platform))
    for (const name of this.#workers) this.#startWorker(name)
    this.#supervise()
    if (this.shape.weather !== 'faulty') return
    const chance = this.#random.split('deaths')
    simulation.changeCallFaults({
      onCall: ({ process: { name } }) =>
        this.#workers.includes(name) && chance.chance(deathProbability) ? 'kill' : undefined,
    })
  }

  /** A fault begins: whom may it cut off from its group? */
  befallen(kind: FaultKind, whom: string): void {
    this.#tell('fault', () => `${kind} ${whom}`)
    const longestMs = faultsOf(this.shape).lastMs.max
    const untilMs = this.#nowMs + longestMs + aftermathMs
    if (kind === 'kill') return
    const concerned = this.#workers.includes(whom) ? [whom] : this.#workers
    for (const name of concerned) this.#disturbedUntilMs.set(name, untilMs)
  }

  /** Throws when a promise was broken. */
  verify(): void {
    this.witness.judge(this.#letters, this.#closed)
    const { violations } = this.witness
    if (violations.length === 0) return
    const more = violations.length > 3 ? ` (and ${violations.length - 3} more)` : ''
    throw new Error(`${violations.slice(0, 3).join('; ')}${more}`)
  }

  async #runBroker(platform: Platform): Promise<void> {
    const broker = await startBroker({
      ...{ platform, port, properties: shortTimes, host: brokerHost, insecure: true },
    })
    for (const name of [topic, `${topic}.dlq`, `${topic}.dlq-poison`]) {
      const configs = new Map<string, string>()
      const made = await broker.cluster.createTopic({
        ...{ name, partitions, replicationFactor: 1, configs },
      })
      if ('error' in made) throw made.cause ?? new Error(made.message)
    }
    broker.interceptors.add(async (request, proceed) => {
      this.#tell('broker', () => `${request.apiName} of ${request.clientId} comes`)
      const outcome = await proceed()
      this.#tell('broker', () => `${request.apiName} of ${request.clientId}: ${codesIn(outcome)}`)
      if (request.apiKey === offsetCommitApi.key) this.#seeCommit(request, outcome)
      return outcome
    })
    const goesOn = () => this.#nowMs < this.#faultsEndMs
    if (this.shape.weather === 'faulty') {
      addCommitFaults({ broker, platform, goesOn, tell: this.#tell })
    }
    this.#broker = broker
    throw await broker.failure
  }

  #seeCommit({ body, clientId }: InterceptedRequest, outcome: Outcome): void {
    if (outcome === undefined || outcome === closeConnection) return
    const { topics } = body as OffsetCommit
    const codes = (outcome as OffsetCommitAnswer).topics.map(({ partitions: each }) => each)
    topics.forEach((ofTopic, at) =>
      ofTopic.partitions.forEach((each, index) => {
        if (codes[at]?.[index]?.errorCode !== kafkaError.NONE) return
        this.witness.taken(clientId, {
          ...{ topic, partition: each.partitionIndex, offset: each.committedOffset },
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.committedMetadata ?? '',
        })
      }),
    )
  }

  async #produce(platform: Platform): Promise<void> {
    const driver = createNativeDriver({
      ...{ brokers, platform, clientId: 'producer', allowPlaintext: true },
      log: silentLog,
    })
    const sink = driver.sink({ lingerMs: 0 })
    const records = makeRecords(this.shape, this.#random.split('records'))
    const isUnderLoad = this.shape.weather === 'outage'
    const pausesMs = isUnderLoad ? 4 : (this.#random.pick([4, 20, 60]) ?? 4)
    for (const { key, value } of records) {
      const { partition, offset } = await sink.send({ topic, key, value })
      const kind = kindIn({ value: Buffer.from(value) })
      this.witness.recordWritten({ partition, offset, key, kind })
      await platform.clock.sleep(platform.random.integer(pausesMs))
    }
    this.#isWritten = true
    await sink.close()
    await driver.close()
  }

  #startWorker(name: string): void {
    const { simulation } = this.#started()
    simulation.host(name).start(name, async (platform) => {
      const number = (this.#lives.get(name) ?? 0) + 1
      this.#lives.set(name, number)
      const life = `${name}.${number}`
      const livesMs = this.#random.integer(3) === 0 ? Infinity : 300 + this.#random.integer(3_000)
      this.#lifeEndsMs.set(name, this.#nowMs + livesMs)
      this.#tell(life, () => 'begins')
      await runWorker({
        ...{ platform, life, brokers, topic, shape: this.shape, witness: this.witness },
        tell: this.#tell,
        isOutage: () => this.#isOutage,
        isQuiet: () => this.#nowMs >= this.#faultsEndMs,
        isToldToEnd: () => this.#isEnding || this.#isTurnOf(name),
        die: () => simulation.host(name).process(name)?.kill(),
      })
      this.#closed.add(life)
    })
  }

  /** Members come and go in order while faults may happen. */
  #isTurnOf(name: string): boolean {
    if (this.shape.weather === 'outage' || this.#nowMs >= this.#faultsEndMs) return false
    return this.#nowMs >= (this.#lifeEndsMs.get(name) ?? Infinity)
  }

  #isAlive(life: string): boolean {
    const { simulation } = this.#started()
    const name = nameOf(life)
    if (`${name}.${this.#lives.get(name)}` !== life) return false
    const state = simulation.host(name).process(name)?.state
    return state === 'running' || state === 'paused'
  }

  /** Starts again what has ended or died, until all is done; then ends all, and reads the letters. */
  #supervise(): void {
    const { simulation } = this.#started()
    simulation.after(50, () => {
      for (const name of this.#workers) {
        const process = simulation.host(name).process(name)
        if (process?.isOver !== true || this.#isEnding || this.#random.integer(6) > 0) continue
        simulation.host(name).restart(name)
      }
      if (!this.#isEnding && this.#isAllCommitted()) {
        this.#isEnding = true
        this.#tell('world', () => 'everything is committed')
      }
      const isOver = (name: string) => simulation.host(name).process(name)?.isOver === true
      if (!this.#isEnding || !this.#workers.every(isOver)) {
        this.#supervise()
        return
      }
      simulation.host('auditor').start('auditor', async (platform) => {
        this.#letters = await readLetters(platform, brokers, topic)
        this.isDone = true
      })
    })
  }

  #isAllCommitted(): boolean {
    // What faults have left behind, such as connections of which one side is gone, is over too.
    const restsMs = this.shape.weather === 'faulty' ? aftermathMs : 0
    if (!this.#isWritten || this.#nowMs < this.#faultsEndMs + restsMs) return false
    const ends = this.#topic?.partitions ?? []
    return ends.every(({ index, log }) => this.witness.isCommittedTo(index, log.logEndOffset))
  }

  #started(): { readonly simulation: Simulation } {
    return { simulation: this.#simulation as Simulation }
  }
}

/** The error codes of an answer, for whoever replays a seed. */
function codesIn(outcome: Outcome): string {
  if (outcome === undefined || outcome === closeConnection) return 'no answer'
  const codes = JSON.stringify(outcome).match(/"errorCode":-?\d+/g) ?? []
  return codes.map((code) => code.split(':')[1]).join(' ')
}

function nameOf(life: string): string {
  return life.slice(0, life.lastIndexOf('.'))
}
