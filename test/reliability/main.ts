/** The command line of the long runs: `npm run simulate` and `npm run kill-loop`. */
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
import { runChainSeeds } from './exactly-once/run-seeds.ts'
import { runRuntimeSeeds } from './runtime/run-seeds.ts'
import { simulateTransactions } from './transactional-world.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const [command, ...rest] = process.argv.slice(2)

if (command === 'simulate') await simulate(rest)
else if (command === 'kill-loop') await loop(rest)
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
      // Chained stages of exactly-once.
      'exactly-once': { type: 'boolean', default: false },
      // Processes that run worlds of clients beside each other.
      workers: { type: 'string', default: '1' },
      // Says all that happens in a world of clients or of the runtime.
      trace: { type: 'boolean', default: false },
    },
  })
  if (values.runtime) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    return runRuntimeSeeds({ ...range, trace: values.trace, say })
  }
  if (values['exactly-once']) {
    const range = { first: Number(values.seed), count: Number(values.seeds) }
    return runChainSeeds({ ...range, trace: values.trace, say })
  }
  if (values.clients && values.trace) return replaySeed(Number(values.seed), say)
  if (values.clients && Number(values.seeds) > 1) return simulateMany(values)
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
}): Promise<void> {
  const failedCount = await new ManySeeds({
    firstSeed: Number(values.seed),
    seedCount: Number(values.seeds),
    workers: Math.max(1, Number(values.workers)),
    say,
  }).run()
  process.exitCode = failedCount === 0 ? 0 : 1
}

async function loop(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { kills: { type: 'string', default: '200' } } })
  const result = await killLoop({ kills: Number(values.kills), workMsMax: 800, report: say })
  say(`${result.kills} kills survived. ${String(result.verdict)}`)
  process.exit(0)
}
