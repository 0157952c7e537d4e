import { startBroker } from '../../src/broker/index.ts'
import type { EmbeddedBroker } from '../../src/broker/index.ts'
import { isDiskError } from '../../src/platform/index.ts'
import type { Platform } from '../../src/platform/index.ts'
import { assertHistory, recordHistory, runScenario } from '../../src/testing/index.ts'
import type {
  FaultKind,
  FaultPlan,
  History,
  HistoryRecorder,
  ScenarioResult,
  Simulation,
} from '../../src/testing/index.ts'
import { metadataApi } from '../../src/protocol/index.ts'
import { BrokerSession, untilAnswered } from './broker-session.ts'
import { checkSettled } from './check-settled.ts'
import { checkTransformedOnce } from './check-transformed-once.ts'
import { runCommittingMember, runTransformer } from './group-worker.ts'
import { runPipeliningProducer } from './pipelining-producer.ts'
import { runIdempotentProducer, runTransactionalProducer } from './producers.ts'
import { Reader } from './readers.ts'

/** How a seed is run again; failures print it. */
export const replayCommand = (seed: number) => `npm run simulate -- --seed ${seed}`

/** What the clients of the world work with. */
export const simulated = {
  topic: 'events',
  /** What the transformers write: one record for each of the other topic. */
  target: 'transformed',
  partitions: 3,
  brokerHost: 'broker',
  port: 9092,
  workMs: 20_000,
  /** Long enough for a transaction of a producer that is no more to be aborted, and for what waits for it. */
  quietMs: 60_000,
} as const
const { topic, target, partitions, brokerHost, port, workMs, quietMs } = simulated
/** Before it is looked whether all is settled, members of groups leave, and that is written down too. */
const leavingMs = 5_000
const requestTimeoutMs = 1_500

/** Only the broker has anything to lose on its disk, and in its memory. */
const faultsOfBroker: ReadonlySet<FaultKind> = new Set([
  'power-loss',
  'slow-disk',
  'failing-disk',
  'full-disk',
])

const faults: FaultPlan = {
  durationMs: workMs,
  everyMs: { min: 300, max: 2_500 },
  lastMs: { min: 50, max: 2_000 },
  weights: {
    kill: 4,
    'power-loss': 3,
    pause: 2,
    partition: 2,
    'one-way-partition': 1,
    reset: 3,
    vanish: 1,
    'slow-network': 1,
    'slow-disk': 1,
    'failing-disk': 1,
    'full-disk': 1,
  },
  hosts: ({ name }, kind) => name === brokerHost || !faultsOfBroker.has(kind),
  // Those that hold nothing which anybody waits for are spared: the others meet with more.
  targets: ({ name }) => !name.startsWith('reader') && !name.startsWith('idempotent'),
}

/** Starts the clients of a world. */
export type Load = (simulation: Simulation, history: HistoryRecorder) => void

/**
 * One broker with a disk, idempotent and transactional producers, readers of committed records, groups
 * that commit offsets with and without transactions; and everything that can go wrong. In the end the
 * history is judged, and nothing may be left undecided in the broker.
 */
export async function simulateBroker(
  seed: number,
  load: Load = clientsOfTheWire,
  replay: (seed: number) => string = replayCommand,
  verify: (history: History) => void = (history) =>
    checkTransformedOnce(history, { topic, target }),
): Promise<ScenarioResult & { readonly history: History }> {
  let world: Simulation | undefined
  const history = recordHistory({ now: () => world?.nowMs ?? 0 })
  let finalReadIsDone = false
  let broker: EmbeddedBroker | undefined
  const result = await runScenario({
    seed,
    setup(simulation) {
      world = simulation
      startBrokerProcess(simulation, (started) => {
        broker = started
      })
      load(simulation, history)
      startFinalReader(simulation, history, () => {
        finalReadIsDone = true
      })
    },
    faults,
    healing: { withinMs: 300_000 },
    progress: () => finalReadIsDone,
    verify() {
      assertHistory(history, { replay: replay(seed) })
      checkSettled(broker)
      verify(history)
    },
    replayCommand: replay,
  })
  return { ...result, history }
}

function startBrokerProcess(
  simulation: Simulation,
  started: (broker: EmbeddedBroker) => void,
): void {
  simulation.host(brokerHost).start(
    'broker',
    async (platform) => {
      const broker = await startBroker({
        platform,
        host: brokerHost,
        insecure: true,
        port,
        data: '/data',
        properties: {
          'offsets.topic.num.partitions': '1',
          'transaction.state.log.num.partitions': '1',
        },
      })
      for (const name of [topic, target]) {
        if (broker.cluster.topic(name) !== undefined) continue
        const configs = new Map<string, string>()
        const wanted = { name, partitions, replicationFactor: 1, configs }
        const made = await broker.cluster.createTopic(wanted)
        if ('error' in made) throw made.cause ?? new Error(made.message)
      }
      started(broker)
      restartNode(platform, broker, () => simulation.nowMs < workMs)
      throw await broker.failure
    },
    // A broker whose disk fails ends; it is started again like one that was killed.
    { mayFail: isDiskError },
  )
}

/** Takes the leadership of everything away for a moment, now and then, while the broker lives. */
function restartNode(platform: Platform, broker: EmbeddedBroker, goesOn: () => boolean): void {
  const { clock, random } = platform
  const [node] = broker.cluster.nodes
  if (node === undefined || !goesOn()) return
  clock.setTimer(1_000 + random.integer(6_000), () => {
    void (async () => {
      await broker.stopNode(node.id, random.integer(2) === 0 ? 'gently' : 'abruptly')
      await clock.sleep(random.integer(300))
      await broker.startNode(node.id)
      restartNode(platform, broker, goesOn)
    })()
  })
}

/** Clients that say exactly what goes over the wire. */
function clientsOfTheWire(simulation: Simulation, history: HistoryRecorder): void {
  startClients(simulation, history)
  startGroups(simulation, history)
}

function startClients(simulation: Simulation, history: HistoryRecorder): void {
  const goesOn = () => simulation.nowMs < workMs
  const common = { history, topic, partitions, goesOn, pauseMs: 120 }
  client(simulation, 'idempotent-1', (session, name) =>
    runIdempotentProducer({ ...common, session, name }),
  )
  client(simulation, 'idempotent-2', (session, name) =>
    runIdempotentProducer({ ...common, session, name }),
  )
  client(simulation, 'pipelining', (session, name) =>
    runPipeliningProducer({ ...common, session, name }),
  )
  client(simulation, 'transactional-1', (session, name) =>
    runTransactionalProducer({ ...common, session, name, transactionalId: 'first' }),
  )
  client(simulation, 'transactional-2', (session, name) =>
    runTransactionalProducer({ ...common, session, name, transactionalId: 'second' }),
  )
  for (const partition of [0, 1, 2]) {
    client(simulation, `reader-${partition}`, (session, name) =>
      new Reader({ name, session, history, topic, partitions: [partition], goesOn }).run(),
    )
  }
}

/** Members of groups, which go on while what was left undecided by others is being settled. */
function startGroups(simulation: Simulation, history: HistoryRecorder): void {
  const goesOn = () => simulation.nowMs < workMs + quietMs - leavingMs
  const common = { history, topic, partitions, goesOn }
  for (const number of [1, 2]) {
    client(simulation, `member-${number}`, (session, name) =>
      runCommittingMember({ ...common, session, name, group: 'members' }),
    )
    const transactionalId = `transformer-${number}`
    client(simulation, transactionalId, (session, name) =>
      runTransformer({ ...common, session, name, group: 'transformers', target, transactionalId }),
    )
  }
}

/** A process on a host of its own. Each life of it has a name of its own in the history. */
export function client(
  simulation: Simulation,
  name: string,
  run: (session: BrokerSession, name: string) => Promise<void>,
): void {
  let lives = 0
  simulation.host(name).start(name, async (platform) => {
    lives += 1
    const session = sessionOf(platform, `${name}.${lives}`)
    await topicsAreThere(session)
    await run(session, `${name}.${lives}`)
    session.drop()
  })
}

/** When everybody has stopped and the faults are over: a fresh reader reads all from the start. */
function startFinalReader(
  simulation: Simulation,
  history: HistoryRecorder,
  done: () => void,
): void {
  simulation.after(workMs + 1, () => {
    simulation.host('final-reader').start('final-reader', async (platform) => {
      await platform.clock.sleep(quietMs)
      const session = sessionOf(platform, 'final-reader')
      history.note({ kind: 'final', process: 'final-reader' })
      const common = { session, history, partitions: [0, 1, 2], goesOn: () => true }
      for (const each of [topic, target]) {
        await new Reader({ ...common, name: `final-reader of ${each}`, topic: each }).readToEnd()
      }
      session.drop()
      done()
    })
  })
}

function sessionOf(platform: Platform, clientId: string): BrokerSession {
  return new BrokerSession({
    platform,
    host: brokerHost,
    port,
    clientId,
    timeoutMs: requestTimeoutMs,
  })
}

/** Every partition of the topics has a leader: clients may begin. */
async function topicsAreThere(session: BrokerSession): Promise<void> {
  const { clock } = session.platform
  for (;;) {
    const response = await untilAnswered(session, () =>
      session.request(metadataApi, 12, {
        topics: [{ name: topic }, { name: target }],
        allowAutoTopicCreation: false,
      }),
    )
    if (response.topics.every((found) => found.partitions.length === partitions)) return
    await clock.sleep(50)
  }
}
