import { closeConnection, startBroker } from '../../../src/broker/index.ts'
import type { EmbeddedBroker } from '../../../src/broker/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { createNativeDriver } from '../../../src/driver/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { runScenario, SeededRandom } from '../../../src/testing/index.ts'
import type { ScenarioResult, Simulation } from '../../../src/testing/index.ts'
import type { Narrate } from '../clients/narration.ts'
import { shortTimes } from '../runtime/short-times.ts'
import { chainFaults, chainShapeOf, deathProbability, partitions } from './shape.ts'
import type { ChainShape } from './shape.ts'
import { isBad, runChainWorker, topicOf } from './worker.ts'

export interface ChainSimulationResult extends ScenarioResult {
  readonly shape: ChainShape
  readonly figures: Readonly<Record<string, number>>
}

/** A record as somebody who reads committed records finds it. */
interface Found {
  readonly key: string
  readonly value: string
  readonly source: string
}

const brokerHost = 'broker'
const port = 9092
const brokers = `${brokerHost}:${port}`
const startsWithinMs = 5_000
const healsWithinMs = 600_000

const properties = {
  ...shortTimes,
  'transaction.state.log.num.partitions': '2',
  // What a dead process had on its way may still come, and begin a transaction that nobody ends.
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}
const lossy = new Set(['EndTxn', 'TxnOffsetCommit', 'Produce', 'InitProducerId', 'AddOffsetsToTxn'])

export const replayChain = (seed: number) =>
  `npm run simulate -- --exactly-once --seed ${seed} --trace`

/**
 * Stages that read what the one before has written, each exactly once, in processes that die, stand still and are cut
 * off; answers to requests of their transactions are lost. In the end whoever reads committed records finds each record that
 * went in at one place and once: behind the last stage, or in the dead letters of the stage that could not handle it; and
 * behind each stage the records of a key in the order in which they went in.
 */
export async function simulateChain(
  seed: number,
  narrate?: Narrate,
): Promise<ChainSimulationResult> {
  const world = new ChainWorld(seed, narrate)
  const result = await runScenario({
    seed,
    setup: (simulation) => world.start(simulation),
    faults: {
      ...chainFaults(),
      onFault: (kind, whom) => world.tell('fault', () => `${kind} ${whom}`),
    },
    healing: { withinMs: healsWithinMs },
    progress: () => world.isDone,
    verify: () => world.verify(),
    replayCommand: replayChain,
  })
  return { ...result, shape: world.shape, figures: world.figures }
}

class ChainWorld {
  isDone = false
  readonly shape: ChainShape
  readonly figures: Record<string, number> = {}
  readonly #random: SeededRandom
  readonly #narrate: Narrate | undefined
  #simulation: Simulation | undefined
  #broker: EmbeddedBroker | undefined
  #faultsEndMs = Infinity
  #isWritten = false
  #isEnding = false
  #isLooking = false
  readonly #lives = new Map<string, number>()
  readonly #lifeEndsMs = new Map<string, number>()
  readonly #written: { readonly key: string; readonly value: string }[] = []
  readonly #found = new Map<string, readonly Found[]>()

  constructor(seed: number, narrate: Narrate | undefined) {
    this.#narrate = narrate
    this.#random = new SeededRandom(seed, 'chain')
    this.shape = chainShapeOf(seed)
  }

  readonly tell = (who: string, what: () => string): void => this.#narrate?.(this.#nowMs, who, what)

  get #nowMs(): number {
    return this.#simulation?.nowMs ?? 0
  }

  get #workers(): readonly string[] {
    return Array.from({ length: this.shape.workers }, (_, index) => `worker-${index + 1}`)
  }

  /** All topics that records may be in at the end, and those between stages. */
  get #topics(): readonly string[] {
    const stages = Array.from({ length: this.shape.stages + 1 }, (_, stage) => topicOf(stage))
    return [...stages, ...stages.map((topic) => `${topic}.dlq`), 'poison']
  }

  async start(simulation: Simulation): Promise<void> {
    this.#simulation = simulation
    this.tell('world', () => JSON.stringify(this.shape))
    simulation.host(brokerHost).start('broker', (platform) => this.#runBroker(platform))
    await simulation.runUntil(() => this.#broker !== undefined, { withinMs: startsWithinMs })
    this.#faultsEndMs = this.#nowMs + chainFaults().durationMs
    simulation.host('producer').start('producer', (platform) => this.#produce(platform))
    for (const name of this.#workers) this.#startWorker(name)
    this.#supervise()
    const chance = this.#random.split('deaths')
    simulation.changeCallFaults({
      onCall: ({ process: { name } }) =>
        this.#workers.includes(name) && chance.chance(deathProbability) ? 'kill' : undefined,
    })
  }

  /** Throws when a record is missing, is there twice, or came before an earlier one of its key. */
  verify(): void {
    const last = topicOf(this.shape.stages)
    const places = [...this.#found].filter(([topic]) => topic === last || /dlq|poison/.test(topic))
    const counts = new Map(this.#written.map(({ value }) => [value, 0]))
    for (const [topic, found] of places) {
      this.figures[topic] = found.length
      for (const { value } of found) {
        // One that was only unlucky may be a dead letter too.
        if (isBad(value) && topic === last) throw new Error(`'${value}' is in ${topic}`)
        counts.set(value, (counts.get(value) ?? NaN) + 1)
      }
    }
    const wrong = [...counts].filter(([, count]) => count !== 1)
    if (wrong.length > 0) {
      const some = wrong.slice(0, 10).map(([value, count]) => `'${value}' ${count} times`)
      throw new Error(`${wrong.length} are not there once: ${some.join(', ')}`)
    }
    for (let stage = 1; stage <= this.shape.stages; stage++) this.#checkOrder(topicOf(stage))
  }

  #checkOrder(topic: string): void {
    const last = new Map<string, number>()
    for (const { key, value } of this.#found.get(topic) ?? []) {
      const number = Number(value.split(' ')[0])
      const before = last.get(key) ?? -1
      if (number <= before) throw new Error(`in ${topic} ${number} of '${key}' is behind ${before}`)
      last.set(key, number)
    }
  }

  async #runBroker(platform: Platform): Promise<void> {
    const broker = await startBroker({
      ...{ platform, port, properties, host: brokerHost, insecure: true },
    })
    for (const name of this.#topics) {
      const configs = new Map<string, string>()
      const made = await broker.cluster.createTopic({
        ...{ name, partitions, replicationFactor: 1, configs },
      })
      if ('error' in made) throw made.cause ?? new Error(made.message)
    }
    broker.interceptors.add(async ({ apiName, clientId }, proceed) => {
      const { lostOneIn } = this.shape
      const isFaulty = this.#nowMs < this.#faultsEndMs && clientId.startsWith('worker')
      const isLost =
        isFaulty && lostOneIn > 0 && lossy.has(apiName) && platform.random.integer(lostOneIn) === 0
      // The request comes, or not; its answer never does.
      if (isLost && platform.random.integer(2) === 0) return closeConnection
      const outcome = await proceed()
      this.tell(
        'broker',
        () => `${apiName} of ${clientId}${isLost ? ', whose answer is lost' : ''}`,
      )
      return isLost ? closeConnection : outcome
    })
    this.#broker = broker
    throw await broker.failure
  }

  async #produce(platform: Platform): Promise<void> {
    const driver = createNativeDriver({
      ...{ brokers, platform, clientId: 'producer', allowPlaintext: true, log: silentLog },
    })
    const sink = driver.sink({ lingerMs: 0 })
    const { records, keys, badOneIn } = this.shape
    const pausesMs = this.#random.pick([4, 20, 60]) ?? 4
    for (let number = 0; number < records; number++) {
      const key = `k-${this.#random.integer(keys)}`
      const value = `${number} ${this.#random.integer(badOneIn) === 0 ? 'bad' : 'good'}`
      await sink.send({ topic: topicOf(0), key, value })
      this.#written.push({ key, value })
      await platform.clock.sleep(platform.random.integer(pausesMs))
    }
    this.#isWritten = true
    await sink.close()
    await driver.close()
  }

  #startWorker(name: string): void {
    const simulation = this.#started()
    simulation.host(name).start(name, async (platform) => {
      const number = (this.#lives.get(name) ?? 0) + 1
      this.#lives.set(name, number)
      const life = `${name}.${number}`
      const livesMs = this.#random.integer(3) === 0 ? Infinity : 300 + this.#random.integer(3_000)
      this.#lifeEndsMs.set(name, this.#nowMs + livesMs)
      this.tell(life, () => 'begins')
      const isQuiet = () => this.#nowMs >= this.#faultsEndMs
      await runChainWorker({
        ...{ platform, life, brokers, shape: this.shape, tell: this.tell, isQuiet },
        isToldToEnd: () =>
          this.#isEnding || (!isQuiet() && this.#nowMs >= (this.#lifeEndsMs.get(name) ?? Infinity)),
      })
    })
  }

  /** Starts again what has ended or died, until all has come through; then ends all, and reads what is there. */
  #supervise(): void {
    const simulation = this.#started()
    simulation.after(50, () => {
      const isOver = (name: string) => simulation.host(name).process(name)?.isOver === true
      for (const name of this.#workers) {
        if (this.#isEnding || !isOver(name) || this.#random.integer(6) > 0) continue
        simulation.host(name).restart(name)
      }
      const isCalm = this.#isWritten && this.#nowMs >= this.#faultsEndMs
      if (!this.#isEnding && isCalm && !this.#isLooking) this.#lookWhetherAllIsThrough()
      if (!this.#isEnding || !this.#workers.every(isOver)) {
        this.#supervise()
        return
      }
      simulation.host('auditor').start('auditor', (platform) => this.#readAll(platform))
    })
  }

  #lookWhetherAllIsThrough(): void {
    this.#isLooking = true
    const host = this.#started().host('watcher')
    const watch = async (platform: Platform) => {
      this.#isEnding = await this.#isAllThrough(platform)
      this.#isLooking = false
    }
    if (host.process('watcher') === undefined) host.start('watcher', watch)
    else host.restart('watcher')
  }

  /** Whether each group has committed to the end of its topic, and no transaction is open. */
  async #isAllThrough(platform: Platform): Promise<boolean> {
    await using client = clientOf(platform, 'watcher')
    const admin = client.admin()
    if (!this.#isStable()) return false
    await using consumer = client.consumer({ offsetReset: 'none', isolation: 'read_uncommitted' })
    for (let stage = 0; stage < this.shape.stages; stage++) {
      const topic = topicOf(stage)
      const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
      const committed = await admin.groups.offsets(`group-${stage}`)
      for (const { partition, offset: end } of await consumer.endOffsets(all)) {
        const known = committed.find((each) => each.topic === topic && each.partition === partition)
        const offset = known !== undefined && known.error === undefined ? known.offset : 0
        if (offset < end) return false
      }
    }
    return true
  }

  #isStable(): boolean {
    const topics = this.#topics.map((name) => this.#broker?.cluster.topic(name))
    const logs = topics.flatMap((topic) => topic?.partitions.map(({ log }) => log) ?? [])
    return logs.every((log) => log.lastStableOffset === log.logEndOffset)
  }

  async #readAll(platform: Platform): Promise<void> {
    await using client = clientOf(platform, 'auditor')
    for (const topic of this.#topics) {
      const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
      await using consumer = client.consumer({ offsetReset: 'earliest' })
      consumer.assign(all)
      const found: Found[] = []
      const ends = await consumer.endOffsets(all)
      const left = new Map(ends.map(({ partition, offset }) => [partition, offset]))
      for (const [partition, end] of left) if (end === 0) left.delete(partition)
      while (left.size > 0) {
        for (const batch of await consumer.poll()) {
          for (const record of batch) {
            const source = `${batch.partition}@${record.offset}`
            found.push({ key: String(record.key), value: String(record.value), source })
          }
          if (batch.nextOffset >= (left.get(batch.partition) ?? 0)) left.delete(batch.partition)
        }
      }
      this.#found.set(topic, found)
    }
    this.isDone = true
  }

  #started(): Simulation {
    return this.#simulation as Simulation
  }
}

function clientOf(platform: Platform, clientId: string) {
  return createClient({ ...{ brokers, platform, clientId, allowPlaintext: true, log: silentLog } })
}
