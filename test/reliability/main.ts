/** The command line of the long runs, `npm run simulate` and `npm run kill-loop`, and of the page that tells of them. */
import { parseArgs } from 'node:util'
import { simulateAdministrations } from './admin-clients.ts'
import { simulateBroker } from './broker-simulation.ts'
import { simulateClients } from './clients/client-simulation.ts'
import { ManySeeds } from './clients/many-seeds.ts'
import { replaySeed } from './clients/replay.ts'
import { serveSeeds } from './clients/seed-worker.ts'
import { simulateConsumers } from './consumer-clients.ts'
import { simulateProducers } from './idempotent-clients.ts'
import { killLoop } from './kill-loop.ts'
import { processLoop } from './processes/process-loop.ts'
import { runChainSeeds } from './exactly-once/run-seeds.ts'
import { runRetrySeeds } from './retries/run-seeds.ts'
import { runRuntimeSeeds } from './runtime/run-seeds.ts'
import { recordFigures } from './table/figures.ts'
import { writePage } from './table/page.ts'
import { streamLoop } from './streams/processes/stream-loop.ts'
import { runStreamSeeds } from './streams/run-seeds.ts'
import { simulateTransactions } from './transactional-world.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const [command, ...rest] = process.argv.slice(2)

if (command === 'simulate') await simulate(rest)
else if (command === 'kill-loop') await loop(rest)
else if (command === 'table') await writePage()
else if (command === 'seed-worker') serveSeeds()
else throw new Error(`there is no command '${command ?? ''}'`)

async function simulate(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      // The version of the library's transactions; without it clients of the wire.
      transactions: { type: 'string' },
      // The library's idempotent producers.
      producers: { type: 'boolean', default: false },
      // The library's consumers, alone and in groups.
      consumers: { type: 'boolean', default: false },
      // The library's administration.
      administrations: { type: 'boolean', default: false },
      // Short worlds of the library's producers, groups and transactions, thousands of them.
      clients: { type: 'boolean', default: false },
      // The consumer runtime: handlers, failures, dead letters, processes that die.
      runtime: { type: 'boolean', default: false },
      // Consumers whose failing records wait in retry topics.
      retries: { type: 'boolean', default: false },
      // Chained stages of exactly-once.
      'exactly-once': { type: 'boolean', default: false },
      // Flows of streams: joins and tables, with state.
      streams: { type: 'boolean', default: false },
      // Processes that run worlds of clients beside each other.
      workers: { type: 'string', default: '1' },
      // Says all that happens in a world of clients or of the runtime.
      trace: { type: 'boolean', default: false },
      // Writes down for docs/reliability.md how many worlds of clients or of the runtime held.
      record: { type: 'boolean', default: false },
    },
  })
  const record = (kind: string, violations: number): void => {
    if (!values.record) return
    recordFigures(`simulate ${kind}`, args, { seeds: Number(values.seeds), violations })
  }
  if (values.runtime) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    await runRuntimeSeeds({ ...range, trace: values.trace, say })
    record('--runtime', 0)
    return
  }
  if (values.retries) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    await runRetrySeeds({ ...range, trace: values.trace, say })
    record('--retries', 0)
    return
  }
  if (values['exactly-once']) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    return runChainSeeds({ ...range, trace: values.trace, say })
  }
  if (values.streams) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    const failures = await runStreamSeeds({ ...range, trace: values.trace, say })
    record('--streams', failures)
    process.exitCode = failures === 0 ? 0 : 1
    return
  }
  if (values.clients && values.trace) return replaySeed(Number(values.seed), say)
  if (values.clients && Number(values.seeds) > 1) {
    record('--clients', await simulateMany(values))
    return
  }
  const run = simulationOf(values)
  const first = Number(values.seed)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const startedMs = performance.now()
    const result = await run(seed)
    const realMs = performance.now() - startedMs
    say(
      [
        `seed ${seed} holds`,
        `trace ${result.traceHash}`,
        `${Math.round(result.virtualMs / 1000)} s virtual in ${(realMs / 1000).toFixed(1)} s`,
        `${result.history.events.length} events of clients`,
        `faults ${JSON.stringify(result.faults)}`,
      ].join(' · '),
    )
  }
}

function simulationOf(options: {
  readonly transactions?: string | undefined
  readonly producers: boolean
  readonly consumers: boolean
  readonly administrations: boolean
  readonly clients: boolean
}) {
  if (options.clients) return (seed: number) => simulateClients(seed)
  if (options.producers) return simulateProducers
  if (options.consumers) return simulateConsumers
  if (options.administrations) return simulateAdministrations
  const { transactions } = options
  if (transactions === undefined) return (seed: number) => simulateBroker(seed)
  if (transactions !== '1' && transactions !== '2') {
    throw new Error(`--transactions (${transactions}) must be 1 or 2`)
  }
  const version = transactions === '1' ? 1 : 2
  return (seed: number) => simulateTransactions(seed, version)
}

async function simulateMany(values: {
  readonly seed: string
  readonly seeds: string
  readonly workers: string
}): Promise<number> {
  const failedCount = await new ManySeeds({
    firstSeed: Number(values.seed),
    seedCount: Number(values.seeds),
    workers: Math.max(1, Number(values.workers)),
    say,
  }).run()
  process.exitCode = failedCount === 0 ? 0 : 1
  return failedCount
}

async function loop(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '200' },
      // Services in processes of their own are killed, instead of the broker alone.
      runtime: { type: 'boolean', default: false },
      // Services with streams, and their state.
      streams: { type: 'boolean', default: false },
      workers: { type: 'string', default: '4' },
      protocol: { type: 'string', default: 'classic' },
      'exactly-once': { type: 'boolean', default: false },
      // Apache Kafka on three nodes instead of the embedded broker.
      kafka: { type: 'boolean', default: false },
      // One fault in so many is a broker's.
      'broker-one-in': { type: 'string', default: '12' },
      // Writes the figures down for docs/reliability.md.
      record: { type: 'boolean', default: false },
    },
  })
  if (values.runtime) return loopProcesses(values, args)
  if (values.streams) return loopStreams(values, args)
  const result = await killLoop({ kills: Number(values.kills), workMsMax: 800, report: say })
  say(`${result.kills} kills survived. ${String(result.verdict)}`)
  const { history } = result
  if (values.record) {
    recordFigures('kill-loop', args, { kills: result.kills, events: history.events.length })
  }
  process.exit(0)
}

async function loopProcesses(
  values: {
    readonly kills: string
    readonly workers: string
    readonly protocol: string
    readonly 'exactly-once': boolean
    readonly kafka: boolean
    readonly 'broker-one-in': string
    readonly record: boolean
  },
  args: readonly string[],
): Promise<void> {
  const { protocol } = values
  if (protocol !== 'classic' && protocol !== 'consumer') {
    throw new Error(`--protocol (${protocol}) must be classic or consumer`)
  }
  const { violations, figures } = await processLoop({
    ...{ faults: Number(values.kills), workers: Number(values.workers), groupProtocol: protocol },
    ...{ exactlyOnce: values['exactly-once'], cluster: values.kafka ? 'kafka' : 'embedded' },
    ...{ brokerOneIn: Number(values['broker-one-in']), report: say },
  })
  for (const violation of violations) say(violation)
  say(`${violations.length} violations. ${JSON.stringify(figures)}`)
  if (values.record) {
    const counted = { ...figures, violations: violations.length }
    const kind = [values.kafka && '--kafka', values['exactly-once'] && '--exactly-once']
    recordFigures(['kill-loop --runtime', ...kind.filter(Boolean)].join(' '), args, counted)
  }
  process.exit(violations.length === 0 ? 0 : 1)
}

async function loopStreams(
  values: {
    readonly kills: string
    readonly workers: string
    readonly kafka: boolean
    readonly 'broker-one-in': string
    readonly record: boolean
  },
  args: readonly string[],
): Promise<void> {
  const { violations, figures } = await streamLoop({
    ...{ faults: Number(values.kills), workers: Number(values.workers) },
    ...{ brokerOneIn: Number(values['broker-one-in']), report: say },
    cluster: values.kafka ? 'kafka' : 'embedded',
  })
  for (const violation of violations) say(violation)
  say(`${violations.length} violations. ${JSON.stringify(figures)}`)
  if (values.record) {
    const kind = values.kafka ? 'kill-loop --streams --kafka' : 'kill-loop --streams'
    recordFigures(kind, args, { ...figures, violations: violations.length })
  }
  process.exit(violations.length === 0 ? 0 : 1)
}
