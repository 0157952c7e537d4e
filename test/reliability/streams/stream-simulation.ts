import { startBroker } from '../../../src/broker/index.ts'
import type { EmbeddedBroker } from '../../../src/broker/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { createNativeDriver } from '../../../src/driver/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import { isDiskError } from '../../../src/platform/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { memoryStateStores } from '../../../src/store/index.ts'
import { runScenario, SeededRandom } from '../../../src/testing/index.ts'
import type { ScenarioResult, Simulation } from '../../../src/testing/index.ts'
import { ClusterFaults } from '../clients/cluster-faults.ts'
import { Tally } from '../clients/exercised.ts'
import type { Narrate } from '../clients/narration.ts'
import { shortTimes } from '../runtime/short-times.ts'
import { readCommitted } from './found-records.ts'
import type { FoundTopics } from './found-records.ts'
import { judgedTopics, letterTopics, sourceTopics, StreamJudge } from './judge.ts'
import { KeptStores } from './kept-stores.ts'
import type { KeptStates } from './kept-stores.ts'
import { deathProbability, partitions, streamFaults, streamShapeOf } from './shape.ts'
import type { StreamShape } from './shape.ts'
import {
  changelogName,
  copiesConfigs,
  groupId,
  inputsOf,
  paymentsOf,
  orders,
  written,
} from './shop-flow.ts'
import { planRecords } from './shop-records.ts'
import { checkStates } from './state-check.ts'
import { runStreamWorker } from './worker.ts'

export interface StreamSimulationResult extends ScenarioResult {
  readonly shape: StreamShape
  readonly figures: Readonly<Record<string, number>>
}

const brokerHost = 'broker'
const port = 9092
const startsWithinMs = 5_000
const healsWithinMs = 600_000

const properties = {
  ...shortTimes,
  'transaction.state.log.num.partitions': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}

export const replayStreams = (seed: number) =>
  `npm run simulate -- --streams --seed ${seed} --trace`

/**
 * Services that join orders with payments and add up what was paid, in processes that die, stand still and are cut off, whose local
 * state is lost or old now and then, on a cluster that loses requests and answers, moves leaders and is killed. In the end
 * the topics alone say whether everything came out as the rules have it.
 */
export async function simulateStreams(
  seed: number,
  narrate?: Narrate,
): Promise<StreamSimulationResult> {
  const world = new StreamWorld(seed, narrate)
  const result = await runScenario({
    seed,
    setup: (simulation) => world.start(simulation),
    faults: {
      ...streamFaults(world.shape),
      onFault: (kind, whom) => world.tell('fault', () => `${kind} ${whom}`),
    },
    healing: { withinMs: healsWithinMs },
    progress: () => world.isDone,
    verify: () => world.verify(),
    replayCommand: replayStreams,
  })
  return { ...result, shape: world.shape, figures: world.figures }
}

class StreamWorld {
  isDone = false
  readonly shape: StreamShape
  readonly figures: Record<string, number> = {}
  readonly #random: SeededRandom
  readonly #narrate: Narrate | undefined
  #simulation: Simulation | undefined
  #broker: EmbeddedBroker | undefined
  #clusterFaults: ClusterFaults | undefined
  #faultsEndMs = Infinity
  #writtenAtMs = Infinity
  #isEnding = false
  #isLooking = false
  #found: FoundTopics = new Map()
  #stateProblems: readonly string[] = []
  readonly #lives = new Map<string, number>()
  readonly #lifeEndsMs = new Map<string, number>()
  readonly #kept = new Map<string, KeptStates>()
  readonly #tally = new Tally()

  constructor(seed: number, narrate: Narrate | undefined) {
    this.#narrate = narrate
    this.#random = new SeededRandom(seed, 'streams')
    this.shape = streamShapeOf(seed)
  }

  readonly tell = (who: string, what: () => string): void => this.#narrate?.(this.#nowMs, who, what)

  get #nowMs(): number {
    return this.#simulation?.nowMs ?? 0
  }

  get #workers(): readonly string[] {
    return Array.from({ length: this.shape.workers }, (_, index) => `worker-${index + 1}`)
  }

  get #brokers(): string {
    return Array.from(
      { length: this.shape.nodes },
      (_, node) => `${brokerHost}:${port + node}`,
    ).join()
  }

  async start(simulation: Simulation): Promise<void> {
    this.#simulation = simulation
    this.tell('world', () => JSON.stringify(this.shape))
    this.#startBroker()
    await simulation.runUntil(() => this.#broker !== undefined, { withinMs: startsWithinMs })
    this.#faultsEndMs = this.#nowMs + streamFaults(this.shape).durationMs
    simulation.host('shop').start('shop', (platform) => this.#produce(platform))
    for (const name of this.#workers) this.#startWorker(name)
    this.#supervise()
    const chance = this.#random.split('deaths')
    simulation.changeCallFaults({
      onCall: ({ process: { name } }) =>
        this.#workers.includes(name) && chance.chance(deathProbability) ? 'kill' : undefined,
    })
  }

  /** Throws when something is missing, there twice, or not what the rules say. */
  verify(): void {
    const { shop, changelogBytesMax, source } = this.shape
    const judge = new StreamJudge({
      ...{ shop, partitions, found: this.#found },
      isChangelogSmall: changelogBytesMax < 1_500,
      isDisorderBelowGrace: source.disorder === 'below',
    })
    const violations = [...judge.judge(), ...this.#stateProblems]
    Object.assign(this.figures, judge.figures, {
      lives: [...this.#lives.values()].reduce((sum, lives) => sum + lives, 0),
    })
    for (const [what, times] of Object.entries(this.#tally.all['cluster'] ?? {})) {
      this.figures[what] = times
    }
    if (violations.length > 0) throw new Error(violations.join('\n'))
  }

  #startBroker(): void {
    this.#started()
      .host(brokerHost)
      .start('broker', (platform) => this.#runBroker(platform), { mayFail: isDiskError })
  }

  async #runBroker(platform: Platform): Promise<void> {
    const { nodes, shop, changelogBytesMax } = this.shape
    const broker = await startBroker({
      ...{ platform, port, nodes, properties, host: brokerHost, insecure: true, data: '/data' },
    })
    const names = [...sourceTopics(shop), ...letterTopics(shop), ...written.map(({ name }) => name)]
    // Its history is what is judged: nothing of it may be compacted away.
    const changelog = {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'max.message.bytes': String(changelogBytesMax),
    }
    const ofLetters = { 'max.message.bytes': '1200000' }
    for (const name of [...names, changelogName]) {
      if (broker.cluster.topic(name) !== undefined) continue
      const isOfLetters = letterTopics(shop).includes(name)
      const isOfCopies = shop.isRekeyed && name === inputsOf(shop)[1]
      const configs = new Map(
        Object.entries({
          ...(name === changelogName && changelog),
          ...(isOfLetters && ofLetters),
          ...(isOfCopies && copiesConfigs),
        }),
      )
      const made = await broker.cluster.createTopic({
        ...{ name, partitions, replicationFactor: nodes, configs },
      })
      if ('error' in made) throw made.cause ?? new Error(made.message)
    }
    const faults = new ClusterFaults({
      ...{ broker, platform, tally: this.#tally, tell: this.tell },
      goesOn: () => this.#nowMs < this.#faultsEndMs,
    })
    this.#clusterFaults = faults
    this.#broker = broker
    const failure = broker.failure.then((error) => Promise.reject(error))
    await Promise.all([failure, faults.run()])
  }

  async #produce(platform: Platform): Promise<void> {
    const driver = createNativeDriver({
      ...{ brokers: this.#brokers, platform, clientId: 'shop', log: silentLog },
      ...{ allowPlaintext: true, requestTimeoutMs: 800 },
    })
    const sink = driver.sink({ lingerMs: 0, deliveryTimeoutMs: 120_000 })
    const beginsMs = platform.clock.now()
    const planned = planRecords(this.shape.source, this.shape.shop, this.#random, beginsMs)
    const sent: Promise<unknown>[] = []
    for (const { atMs, record } of planned) {
      const waitMs = beginsMs + atMs - platform.clock.now()
      if (waitMs > 0) await platform.clock.sleep(waitMs)
      sent.push(sink.send(record))
    }
    await Promise.all(sent)
    await sink.close()
    await driver.close()
    this.figures['records'] = planned.length
    this.#writtenAtMs = this.#nowMs
  }

  #startWorker(name: string): void {
    const simulation = this.#started()
    const kept = this.#kept.get(name) ?? (new Map() as KeptStates)
    this.#kept.set(name, kept)
    simulation.host(name).start(name, async (platform) => {
      const number = (this.#lives.get(name) ?? 0) + 1
      this.#lives.set(name, number)
      const life = `${name}.${number}`
      const livesMs = this.#random.integer(3) === 0 ? Infinity : 300 + this.#random.integer(3_000)
      this.#lifeEndsMs.set(name, this.#nowMs + livesMs)
      this.tell(life, () => 'begins')
      const isQuiet = () => this.#nowMs >= this.#faultsEndMs
      const { stores } = this.shape
      await runStreamWorker({
        ...{ platform, life, name, brokers: this.#brokers, shape: this.shape, tell: this.tell },
        stores: (watched) =>
          stores === 'none'
            ? memoryStateStores()
            : new KeptStores({
                ...{ platform: watched, kept, isUnreliable: stores === 'unreliable' },
                tell: (what) => this.tell(life, () => what),
              }),
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
      const isAway = (name: string) => isOver(name) && simulation.host(name).isUp
      for (const name of this.#workers) {
        if (this.#isEnding || !isAway(name) || this.#random.integer(6) > 0) continue
        simulation.host(name).restart(name)
      }
      const broker = simulation.host(brokerHost)
      if (broker.isUp && broker.process('broker')?.isOver === true) broker.restart('broker')
      if (!this.#isEnding && this.#isCalm && !this.#isLooking) this.#lookWhetherAllIsThrough()
      if (!this.#isEnding || !this.#workers.every(isOver)) {
        this.#supervise()
        return
      }
      simulation.host('auditor').start('auditor', (platform) => this.#readAll(platform))
    })
  }

  /** Whether nothing befalls anybody any more, and what has nothing to wait for had time to say so. */
  get #isCalm(): boolean {
    const { shop } = this.shape
    const settlesMs = shop.idleAfterMs + (this.shape.workers === 2 ? shop.withinMs + 2_000 : 0)
    return (
      this.#clusterFaults?.isOver === true &&
      this.#nowMs >= Math.max(this.#faultsEndMs, this.#writtenAtMs) + settlesMs
    )
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

  /** Whether each group has committed to the end of its topics, and no transaction is open. */
  async #isAllThrough(platform: Platform): Promise<boolean> {
    if (!this.#isStable()) {
      this.tell('watcher', () => 'a transaction is open')
      return false
    }
    await using client = this.#clientOf(platform, 'watcher')
    await using consumer = client.consumer({ offsetReset: 'none', isolation: 'read_uncommitted' })
    const { shop } = this.shape
    const rekeyGroup = `${groupId}.paid-by-key-1`
    const read: [string, string[]][] = [[groupId, inputsOf(shop)]]
    if (shop.isRekeyed) read.push([rekeyGroup, [paymentsOf(shop).name]])
    for (const [group, topics] of read) {
      const committed = await client.admin().groups.offsets(group)
      for (const topic of topics) {
        const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
        for (const { partition, offset: end } of await consumer.endOffsets(places)) {
          const known = committed.find(
            (each) => each.topic === topic && each.partition === partition,
          )
          const offset = known !== undefined && known.error === undefined ? known.offset : 0
          if (offset >= end) continue
          this.tell('watcher', () => `${group} has ${offset} of ${end} in ${topic}-${partition}`)
          return false
        }
      }
    }
    return true
  }

  #isStable(): boolean {
    const topics = judgedTopics(this.shape.shop).map((name) => this.#broker?.cluster.topic(name))
    const logs = topics.flatMap((topic) => topic?.partitions.map(({ log }) => log) ?? [])
    return logs.every((log) => log.lastStableOffset === log.logEndOffset)
  }

  async #readAll(platform: Platform): Promise<void> {
    await using client = this.#clientOf(platform, 'auditor')
    this.#found = await readCommitted(client, [...judgedTopics(this.shape.shop), orders.name])
    await using driver = createNativeDriver({
      ...{ brokers: this.#brokers, platform, clientId: 'auditor', log: silentLog },
      allowPlaintext: true,
    })
    this.#stateProblems = await checkStates({
      ...{ driver, platform, shop: this.shape.shop, partitions, found: this.#found },
      kept: [...this.#kept.values()],
    })
    this.isDone = true
  }

  #clientOf(platform: Platform, clientId: string) {
    return createClient({
      ...{ brokers: this.#brokers, platform, clientId, allowPlaintext: true, log: silentLog },
    })
  }

  #started(): Simulation {
    return this.#simulation as Simulation
  }
}
