import type { EmbeddedBroker } from '../../../src/broker/index.ts'
import {
  assertHistory,
  recordHistory,
  runScenario,
  SeededRandom,
} from '../../../src/testing/index.ts'
import type {
  FaultKind,
  FaultPlan,
  History,
  ScenarioResult,
  Simulation,
} from '../../../src/testing/index.ts'
import { simulated } from '../broker-simulation.ts'
import { checkTransformedOnce } from '../check-transformed-once.ts'
import { checkAllHandled } from '../consumer-clients.ts'
import { BrokerWatch } from './broker-watch.ts'
import type { ClusterFaults } from './cluster-faults.ts'
import { Tally } from './exercised.ts'
import type { Exercised } from './exercised.ts'
import { readFinally } from './final-reader.ts'
import { narrateHistory } from './narration.ts'
import type { Narrate, Tell } from './narration.ts'
import { checkAllEnded, countOutcomes } from './outcomes.ts'
import { Ownership } from './ownership.ts'
import { shapeOf } from './shape.ts'
import type { WorldShape } from './shape.ts'
import { startWorldBroker } from './world-broker.ts'
import { groupName, WorldClients } from './world-clients.ts'

export interface ClientSimulationResult extends ScenarioResult {
  readonly history: History
  readonly shape: WorldShape
  readonly exercised: Exercised
}

/** How long everything goes wrong: short, so that many worlds can be seen. */
const workMs = 2_000
const startsWithinMs = 5_000
const healsWithinMs = 150_000
const { topic, target, brokerHost } = simulated

/** Only the broker has anything to lose on its disk, and in its memory. */
const faultsOfBroker: ReadonlySet<FaultKind> = new Set([
  'power-loss',
  'slow-disk',
  'failing-disk',
  'full-disk',
])

const faults: FaultPlan = {
  durationMs: workMs,
  everyMs: { min: 30, max: 400 },
  lastMs: { min: 30, max: 700 },
  weights: {
    kill: 4,
    pause: 4,
    'power-loss': 2,
    partition: 2,
    'one-way-partition': 2,
    reset: 3,
    vanish: 2,
    'slow-network': 1,
    'slow-disk': 1,
    'failing-disk': 1,
    'full-disk': 1,
  },
  hosts: ({ name }, kind) => name === brokerHost || !faultsOfBroker.has(kind),
}

/** How a seed is run again, with all that happens in it. */
export const replayClients = (seed: number) =>
  `npm run simulate -- --clients --seed ${seed} --trace`

/**
 * The library's clients on a cluster of one node or three, to which everything happens for two virtual
 * seconds: producers, groups of each protocol, transactions of both versions, groups that transform in
 * transactions; which of them follows from the seed. Then the world heals: everything that was begun must
 * come to its end, and what the clients were told is held against what is there.
 */
export async function simulateClients(
  seed: number,
  narrate?: Narrate,
): Promise<ClientSimulationResult> {
  const world = new ClientWorld(seed, narrate)
  try {
    const result = await runScenario({
      seed,
      setup: (simulation) => world.start(simulation),
      faults: { ...faults, onFault: (kind, whom) => world.tell('fault', () => `${kind} ${whom}`) },
      healing: { withinMs: healsWithinMs },
      progress: () => world.isDone,
      verify: () => world.verify(),
      replayCommand: replayClients,
    })
    const { history, shape } = world
    return { ...result, history, shape, exercised: world.exercised(result) }
  } finally {
    if (narrate !== undefined) narrateHistory(world.history.events, narrate)
  }
}

/** What lives in the world of a seed, and what is known of it. It is started once. */
class ClientWorld {
  isDone = false
  readonly shape: WorldShape
  readonly history = recordHistory({ now: () => this.#nowMs })
  readonly #seed: number
  readonly #narrate: Narrate | undefined
  readonly #tally = new Tally()
  readonly #ownership = new Ownership((member) => {
    return this.shape.load.startsWith('consumer') || this.#watch.hasSynced(member)
  })
  readonly #watch: BrokerWatch
  #simulation: Simulation | undefined
  #clients: WorldClients | undefined
  #broker: EmbeddedBroker | undefined
  #clusterFaults: ClusterFaults | undefined

  constructor(seed: number, narrate: Narrate | undefined) {
    this.#seed = seed
    this.#narrate = narrate
    this.shape = shapeOf(seed)
    this.#watch = new BrokerWatch(this.#tally, this.tell)
  }

  readonly tell: Tell = (who, what) => this.#narrate?.(this.#nowMs, who, what)

  get #nowMs(): number {
    return this.#simulation?.nowMs ?? 0
  }

  /** Starts the broker, and the clients once it listens. Faults begin when this has resolved. */
  async start(simulation: Simulation): Promise<void> {
    this.#simulation = simulation
    const random = new SeededRandom(this.#seed, 'clients')
    let faultsEndMs = Infinity
    let membersGoOn = true
    const writersGoOn = () => simulation.nowMs < faultsEndMs
    startWorldBroker({
      ...{ simulation, nodes: this.shape.nodes, watch: this.#watch },
      ...{ tally: this.#tally, tell: this.tell, goesOn: writersGoOn },
      started: (broker, clusterFaults) => {
        this.#broker = broker
        this.#clusterFaults = clusterFaults
      },
    })
    await simulation.runUntil(() => this.#broker !== undefined, { withinMs: startsWithinMs })
    faultsEndMs = simulation.nowMs + workMs
    const clients = new WorldClients({
      ...{ simulation, random, writersGoOn, shape: this.shape, history: this.history },
      ...{ tally: this.#tally, ownership: this.#ownership, membersGoOn: () => membersGoOn },
    })
    this.#clients = clients
    clients.start()
    simulation.after(workMs + 1, () => {
      simulation.host('final-reader').start('final-reader', async (platform) => {
        await readFinally({
          ...{ platform, clients, history: this.history, nodes: this.shape.nodes },
          broker: () => this.#broker as EmbeddedBroker,
          isCalm: () => this.#clusterFaults?.isOver === true,
          endMembers: () => {
            membersGoOn = false
          },
        })
        this.isDone = true
      })
    })
  }

  /** Throws when a promise was broken. */
  verify(): void {
    const { history } = this
    const clients = this.#clients as WorldClients
    // The next owner starts where a late commit has put the group, and goes on from there.
    const allow = this.#watch.hasLateCommits ? (['commit-decreased'] as const) : []
    assertHistory(history, { replay: replayClients(this.#seed), allow })
    const [violation] = [...this.#ownership.violations, ...this.#watch.violations]
    if (violation !== undefined) throw new Error(violation)
    checkAllEnded(history, clients.ended)
    if (this.shape.load.endsWith('group')) checkAllHandled(history, groupName)
    if (this.shape.load.endsWith('transformers')) checkTransformedOnce(history, { topic, target })
  }

  exercised({ faults: befallen }: ScenarioResult): Exercised {
    const { load, nodes } = this.shape
    this.#tally.count('worlds', `${load}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`)
    for (const [kind, times] of Object.entries(befallen)) this.#tally.count('faults', kind, times)
    this.#tally.count('groups', 'generations', this.#ownership.generationCount)
    countOutcomes(this.history, this.#tally)
    return this.#tally.all
  }
}
