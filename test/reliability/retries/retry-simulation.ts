import { closeConnection, startBroker } from '../../../src/broker/index.ts'
import type { EmbeddedBroker, InterceptedRequest, Outcome } from '../../../src/broker/index.ts'
import { createNativeDriver } from '../../../src/driver/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { kafkaError, offsetCommitApi } from '../../../src/protocol/index.ts'
import { runScenario, SeededRandom } from '../../../src/testing/index.ts'
import type { ScenarioResult, Simulation } from '../../../src/testing/index.ts'
import { readPartition } from '../../../src/testing/read-partition.ts'
import type { Narrate } from '../clients/narration.ts'
import { deathProbability } from '../exactly-once/shape.ts'
import type { OffsetCommit, OffsetCommitAnswer } from '../runtime/commit-faults.ts'
import { shortTimes } from '../runtime/short-times.ts'
import { RetryJudge } from './judge.ts'
import type { RecordKind } from './judge.ts'
import { partitions, places, retryFaults, retryShapeOf, topic } from './shape.ts'
import type { RetryShape } from './shape.ts'
import { runRetryWorker } from './worker.ts'

export interface RetrySimulationResult extends ScenarioResult {
  readonly shape: RetryShape
  readonly figures: Readonly<Record<string, number>>
}

const brokerHost = 'broker'
const port = 9092
const brokers = `${brokerHost}:${port}`
const startsWithinMs = 5_000
const healsWithinMs = 600_000
/** What is left of a fault when all others are over: sessions and rebalances. */
const aftermathMs = 6_000
const failingMax = 9
const letterTopics = [`${topic}.dlq`, `${topic}.dlq-poison`]

/** How a seed is run again, with all that happens in it. */
export const replayRetries = (seed: number) =>
  `npm run simulate -- --retries --seed ${seed} --trace`

/**
 * Processes that read a topic whose failing records wait in retry topics, and everything that may happen to them. In the end
 * all of these topics are committed to their ends, and each record is done or a dead letter, after as many attempts as it
 * is owed in each of them, none before its time.
 */
export async function simulateRetries(
  seed: number,
  narrate?: Narrate,
): Promise<RetrySimulationResult> {
  const world = new RetryWorld(seed, narrate)
  const result = await runScenario({
    seed,
    setup: (simulation) => world.start(simulation),
    faults: {
      ...retryFaults(world.shape),
      onFault: (kind, whom) => world.tell('fault', () => `${kind} ${whom}`),
    },
    healing: { withinMs: healsWithinMs },
    progress: () => world.isDone,
    verify: () => world.verify(),
    replayCommand: replayRetries,
  })
  return { ...result, shape: world.shape, figures: world.figures }
}

class RetryWorld {
  isDone = false
  readonly shape: RetryShape
  readonly #judge: RetryJudge
  readonly #random: SeededRandom
  readonly #narrate: Narrate | undefined
  #simulation: Simulation | undefined
  #broker: EmbeddedBroker | undefined
  #faultsEndMs = Infinity
  #isWritten = false
  #isEnding = false
  /** By topic and partition. */
  readonly #committed = new Map<string, number>()
  readonly #lives = new Map<string, number>()
  readonly #lifeEndsMs = new Map<string, number>()

  constructor(seed: number, narrate: Narrate | undefined) {
    this.#narrate = narrate
    this.#random = new SeededRandom(seed, 'retries')
    this.shape = retryShapeOf(seed)
    this.#judge = new RetryJudge(this.shape)
  }

  readonly tell = (who: string, what: () => string): void => this.#narrate?.(this.#nowMs, who, what)

  get figures(): Readonly<Record<string, number>> {
    return this.#judge.figures
  }

  get #nowMs(): number {
    return this.#simulation?.nowMs ?? 0
  }

  get #workers(): readonly string[] {
    return Array.from({ length: this.shape.workers }, (_, index) => `worker-${index + 1}`)
  }

  async start(simulation: Simulation): Promise<void> {
    this.#simulation = simulation
    this.tell('world', () => JSON.stringify(this.shape))
    simulation.host(brokerHost).start('broker', (platform) => this.#runBroker(platform))
    await simulation.runUntil(() => this.#broker !== undefined, { withinMs: startsWithinMs })
    this.#faultsEndMs = this.#nowMs + retryFaults(this.shape).durationMs
    simulation.host('producer').start('producer', (platform) => this.#produce(platform))
    for (const name of this.#workers) this.#startWorker(name)
    this.#supervise()
    if (this.shape.isCalm) return
    const chance = this.#random.split('deaths')
    simulation.changeCallFaults({
      onCall: ({ process: { name } }) =>
        this.#workers.includes(name) && chance.chance(deathProbability) ? 'kill' : undefined,
    })
  }

  /** Throws when a promise was broken. */
  verify(): void {
    for (const name of letterTopics) {
      for (const { log } of this.#broker?.cluster.topic(name)?.partitions ?? []) {
        for (const { records } of readPartition(log)) {
          for (const { value } of records)
            this.#judge.lettered(String(value), name !== letterTopics[0])
        }
      }
    }
    const problems = this.#judge.problems()
    if (problems.length === 0) return
    throw new Error(`${problems.length} problems: ${problems.slice(0, 5).join('; ')}`)
  }

  async #runBroker(platform: Platform): Promise<void> {
    const broker = await startBroker({
      ...{ platform, port, properties: shortTimes, host: brokerHost, insecure: true },
    })
    for (const name of [...places.map((place) => place.name), ...letterTopics]) {
      const configs = new Map<string, string>()
      const made = await broker.cluster.createTopic({
        ...{ name, partitions, replicationFactor: 1, configs },
      })
      if ('error' in made) throw made.cause ?? new Error(made.message)
    }
    broker.interceptors.add(async (request, proceed) => {
      const outcome = await proceed()
      this.tell('broker', () => `${request.apiName} of ${request.clientId}`)
      if (request.apiKey === offsetCommitApi.key) this.#seeCommit(request, outcome)
      return outcome
    })
    this.#broker = broker
    throw await broker.failure
  }

  #seeCommit({ body }: InterceptedRequest, outcome: Outcome): void {
    if (outcome === undefined || outcome === closeConnection) return
    const answers = (outcome as OffsetCommitAnswer).topics
    const { topics } = body as OffsetCommit
    topics.forEach((ofTopic, at) =>
      ofTopic.partitions.forEach(({ partitionIndex, committedOffset }, index) => {
        if (answers[at]?.partitions[index]?.errorCode !== kafkaError.NONE) return
        this.#committed.set(`${nameIn(ofTopic, this.#broker)} ${partitionIndex}`, committedOffset)
      }),
    )
  }

  async #produce(platform: Platform): Promise<void> {
    const driver = createNativeDriver({
      ...{ brokers, platform, clientId: 'producer', allowPlaintext: true, log: silentLog },
    })
    const sink = driver.sink({ lingerMs: 0 })
    const { records, keys } = this.shape
    const pausesMs = this.#random.pick([4, 20, 60]) ?? 4
    const kinds = this.#kinds()
    for (let number = 0; number < records; number++) {
      const value = `${number} ${kinds.get(number) ?? 'plain'}`
      this.#judge.written(value)
      await sink.send({ topic, key: `k-${this.#random.integer(keys)}`, value })
      await platform.clock.sleep(platform.random.integer(pausesMs))
    }
    this.#isWritten = true
    await sink.close()
    await driver.close()
  }

  /** Of ten that fail it could not be told whether they are bad or the world is broken. */
  #kinds(): ReadonlyMap<number, RecordKind> {
    const failing = Array.from({ length: failingMax }, () =>
      this.#random.integer(this.shape.records),
    )
    const kinds: readonly RecordKind[] = ['bad', 'mends', 'bad', 'mends', 'refused']
    return new Map(failing.map((number, index) => [number, kinds[index % kinds.length] ?? 'bad']))
  }

  #startWorker(name: string): void {
    const simulation = this.#simulation as Simulation
    simulation.host(name).start(name, async (platform) => {
      const number = (this.#lives.get(name) ?? 0) + 1
      this.#lives.set(name, number)
      const life = `${name}.${number}`
      const livesMs = this.#random.integer(3) === 0 ? Infinity : 300 + this.#random.integer(3_000)
      this.#lifeEndsMs.set(name, this.#nowMs + livesMs)
      this.tell(life, () => 'begins')
      const isQuiet = () => this.#nowMs >= this.#faultsEndMs
      await runRetryWorker({
        ...{ platform, life, brokers, shape: this.shape, tell: this.tell, judge: this.#judge },
        nowMs: () => this.#nowMs,
        isToldToEnd: () =>
          this.#isEnding || (!isQuiet() && this.#nowMs >= (this.#lifeEndsMs.get(name) ?? Infinity)),
      })
    })
  }

  /** Starts again what has ended or died, until everything is committed; then ends all. */
  #supervise(): void {
    const simulation = this.#simulation as Simulation
    simulation.after(50, () => {
      const isOver = (name: string) => simulation.host(name).process(name)?.isOver === true
      for (const name of this.#workers) {
        if (this.#isEnding || !isOver(name) || this.#random.integer(6) > 0) continue
        simulation.host(name).restart(name)
      }
      this.#isEnding ||= this.#isAllCommitted()
      if (this.#isEnding && this.#workers.every(isOver)) this.isDone = true
      else this.#supervise()
    })
  }

  #isAllCommitted(): boolean {
    if (!this.#isWritten || this.#nowMs < this.#faultsEndMs + aftermathMs) return false
    return places.every(({ name }) =>
      this.#broker?.cluster
        .topic(name)
        ?.partitions.every(
          ({ index, log }) => (this.#committed.get(`${name} ${index}`) ?? 0) >= log.logEndOffset,
        ),
    )
  }
}

/** Since version 10 a commit names topics by their ids. */
function nameIn(
  { name, topicId }: { readonly name?: string; readonly topicId?: string },
  broker: EmbeddedBroker | undefined,
): string {
  if (name !== undefined && name !== '') return name
  const known = places.find((place) => broker?.cluster.topic(place.name)?.id === topicId)
  return known?.name ?? ''
}
