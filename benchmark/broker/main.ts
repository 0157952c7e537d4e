import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { figureTable, median } from '../statistics.ts'
import type { Figure } from '../statistics.ts'
import { missingToolchain } from '../../test/kafka/kafka-jars.ts'
import { compare } from './beside/comparison.ts'
import type { Comparison } from './beside/comparison.ts'
import {
  exactlyOnce,
  largeLog,
  perfTools,
  singleSends,
  syncedProducers,
} from './beside/comparisons.ts'
import { prepareOwnClient } from './beside/own-client.ts'
import type { OwnClient } from './beside/own-client.ts'
import { missingKfake } from './beside/servers.ts'
import type { ServerName } from './beside/servers.ts'
import { idleMemoryMb, memoryAfterRecords, memoryWithDataMb } from './memory.ts'
import { produceRate } from './produce-rate.ts'
import { syncMs } from './sync-time.ts'
import { bareNodeStartMs, inProcessStartMs, shellStartMs } from './start.ts'

/*
 * The size and speed of the embedded broker. What is compared is measured in turn (A B A B ...), so
 * that a machine that slows down slows both; ratios are the medians of the pairs' ratios.
 */
const help = `Usage: npm run bench:broker [-- options]

  --rounds N     how often everything is measured                                  [3]
  --only LIST    of start,memory,sync (ours alone), and, beside Apache Kafka 4.1 (needs Java) and
                 kfake (where Go is): perf-100,perf-1024,large,single,exactly-once,synced  [all]
  --gigabytes N  what 'large' reads from                                           [5]
  --sizes        100,000 partitions, 1,000 members in one group, 5,000 connections, and nothing else;
                 --partitions N, --members N, --connections N for other numbers

Examples:
  npm run bench:broker -- --rounds 1 --only start,memory
  npm run bench:broker -- --rounds 5 --only perf-100
`

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    gigabytes: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(given.rounds)
const gigabytes = Number(given.gigabytes)
const say = (text: string) => process.stderr.write(`${text}\n`)
const isAsked = (part: string) => given.only === undefined || given.only.split(',').includes(part)

const isPositive = (value: number) => Number.isInteger(value) && value >= 1

if (given.help || !isPositive(rounds) || !isPositive(gigabytes)) {
  say(help)
  process.exit(given.help ? 0 : 2)
}

async function repeated(name: string, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  for (let round = 1; round <= rounds; round++) {
    say(`${name}, round ${round} of ${rounds}`)
    values.push(await measure())
  }
  return values
}

const figures: Figure[] = []

async function measureStart(): Promise<void> {
  const inProcess = await repeated('start in process', inProcessStartMs)
  figures.push({
    name: 'start to listening, in process',
    unit: 'ms',
    values: inProcess,
    target: 'at most 10 ms',
    met: median(inProcess) <= 10,
  })

  const bare: number[] = []
  const shell = await repeated('start from the shell', async () => {
    bare.push(await bareNodeStartMs())
    return shellStartMs()
  })
  const startRatios = shell.map((ms, round) => ms / (bare[round] ?? Number.NaN))
  figures.push({ name: '`node -e 0`', unit: 'ms', values: bare })
  figures.push({ name: 'start to listening, from the shell', unit: 'ms', values: shell })
  figures.push({
    name: 'start from the shell, by `node -e 0`',
    unit: 'ratio',
    values: startRatios,
    target: 'at most 2.5',
    met: median(startRatios) <= 2.5,
  })
}

async function measureMemory(): Promise<void> {
  const idle = await repeated('idle memory', idleMemoryMb)
  figures.push({
    name: 'resident memory, idle',
    unit: 'MB',
    values: idle,
    target: 'at most 80 MB',
    met: median(idle) <= 80,
  })

  for (const batchRecords of [100, 1]) {
    const ratios = await repeated(`memory of 1 M records in batches of ${batchRecords}`, () =>
      memoryAfterRecords({ records: 1_000_000, recordBytes: 100, batchRecords }),
    )
    figures.push({
      name: `memory added by 1 M records of 100 B (batches of ${batchRecords}), by their bytes in the log`,
      unit: 'ratio',
      values: ratios,
      target: 'at most 1.5',
      met: median(ratios) <= 1.5,
    })
  }
  const load = { records: 10_000_000, recordBytes: 100, batchRecords: 100 }
  const grown = await repeated('memory of 10 M records', () => memoryAfterRecords(load))
  figures.push({
    name: 'memory added by 10 M records of 100 B (batches of 100), by their bytes in the log',
    unit: 'ratio',
    values: grown,
    target: 'at most 1.5',
    met: median(grown) <= 1.5,
  })
  const withData = await repeated('memory of 10 M records with a data folder', () =>
    memoryWithDataMb(load),
  )
  figures.push({
    name: 'resident memory after 10 M records of 100 B, with a data folder',
    unit: 'MB',
    values: withData,
    target: 'at most 300 MB',
    met: median(withData) <= 300,
  })
}

async function measureSync(): Promise<void> {
  figures.push({
    name: 'one small append and its fdatasync, by the disk alone',
    unit: 'ms',
    values: await repeated('fdatasync', syncMs),
  })

  // A producer that waits for every answer waits for a sync each time: the disk alone bounds it.
  for (const inFlight of [5, 1]) {
    const name = `16 producers, ${inFlight} in flight`
    const inMemory: number[] = []
    const durable = await repeated(name, async () => {
      inMemory.push(await produceRate({ producers: 16, inFlight, durable: false }))
      return produceRate({ producers: 16, inFlight, durable: true })
    })
    const ratios = durable.map((rate, round) => rate / (inMemory[round] ?? Number.NaN))
    figures.push({ name: `${name}, in memory`, unit: 'requests/s', values: inMemory })
    figures.push({
      name: `${name}, fdatasync before each answer`,
      unit: 'requests/s',
      values: durable,
    })
    figures.push({
      name: `${name}, fdatasync by in memory`,
      unit: 'ratio',
      values: ratios,
      target: 'at least 0.5',
      met: median(ratios) >= 0.5,
    })
  }
}

async function measureBeside(): Promise<void> {
  const withoutKafka = missingToolchain('4.1.1')
  if (withoutKafka !== undefined) {
    say(`nothing is measured beside Apache Kafka: ${withoutKafka}`)
    return
  }
  const withoutKfake = missingKfake()
  if (withoutKfake !== undefined) say(`kfake is left out: ${withoutKfake}`)
  const kfake: readonly ServerName[] = withoutKfake === undefined ? ['kfake'] : []
  const all: readonly ServerName[] = ['millrace', 'millrace --data (page cache)', 'kafka', ...kfake]
  using own = await prepareOwnClient()
  for (const [part, comparison] of comparisonsOf(own, all)) {
    if (!isAsked(part)) continue
    say(`${part}:`)
    figures.push(...(await compare(comparison, rounds, say)))
  }
}

function comparisonsOf(
  own: OwnClient,
  servers: readonly ServerName[],
): readonly (readonly [string, Comparison])[] {
  return [
    ['perf-100', perfTools(own, 100, 2_000_000, servers)],
    ['perf-1024', perfTools(own, 1024, 500_000, servers)],
    ['large', largeLog(own, gigabytes)],
    [
      'single',
      singleSends(
        own,
        servers.filter((name) => name !== 'kfake'),
      ),
    ],
    ['exactly-once', exactlyOnce()],
    ['synced', syncedProducers()],
  ]
}

const loadBefore = loadavg()[0] ?? 0
if (isAsked('start')) await measureStart()
if (isAsked('memory')) await measureMemory()
if (isAsked('sync')) await measureSync()
await measureBeside()
process.stdout.write(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ` +
    `medians of ${rounds}; load average ${loadBefore.toFixed(1)} before, ` +
    `${(loadavg()[0] ?? 0).toFixed(1)} after\n\n`,
)
process.stdout.write(`${figureTable(figures)}\n`)
