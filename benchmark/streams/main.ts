import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installPeers } from '../client/peers.ts'
import {
  buildWorker,
  createTopic,
  orderIn,
  ratioOf,
  runToEnd,
  startCluster,
} from '../side-by-side.ts'
import { median } from '../statistics.ts'
import { countRecords } from './count-records.ts'
import { fill } from './fill.ts'
import { kafkaStreamsCommand, prepareKafkaStreams } from './kafka-streams.ts'
import { filled, rowsOf, runId } from './rows.ts'
import type { Row } from './rows.ts'
import { orderRecord, paymentRecord } from './shop.ts'
import { measureTakeover } from './takeover.ts'
import type { Takeover } from './takeover.ts'
import { partitionCount } from './task.ts'
import type { StreamMeasurement, Task, WatchTask } from './task.ts'

const help = `Usage: npm run bench:streams [-- options]

Streams beside Kafka Streams and loops by hand: each task is given to all of them in turn, round after round, each time
in a new process, so that a machine that slows down slows all. The table has medians, and ratios to ours.

  --broker kafka|embedded   what they talk to (kafka: Apache Kafka 4.1, needs Java)   [kafka]
  --rounds N                how often                                                 [3]
  --tasks LIST              of transform,handler,join,open,takeover                   [all]
  --records N               orders, and payments                                      [100000]

Examples:
  npm run bench:streams -- --rounds 1 --tasks join
  npm run bench:streams -- --records 1000000
`

const { values: given } = parseArgs({
  options: {
    broker: { type: 'string', default: 'kafka' },
    rounds: { type: 'string', default: '3' },
    tasks: { type: 'string', default: 'transform,handler,join,open,takeover' },
    records: { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
  },
})
if (given.help) {
  process.stdout.write(help)
  process.exit(0)
}

const say = (text: string) => process.stderr.write(`${text}\n`)
const rounds = Number(given.rounds)
const records = Number(given.records)
const tasks = given.tasks.split(',')
const rows = rowsOf(records).filter(({ pick }) => tasks.includes(pick))
const peers = installPeers(rows.flatMap(({ subjects }) => subjects))
const missing = new Map(peers.missing)
const noStreams = prepareKafkaStreams()
if (noStreams !== undefined) missing.set('kafka-streams', noStreams)
for (const [subject, reason] of missing) say(`${subject} is left out: ${reason}`)

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
// Below the project, where the package of the local state is found.
const built = fileURLToPath(new URL('../../.cache/bench-streams', import.meta.url))
rmSync(built, { recursive: true, force: true })
mkdirSync(built, { recursive: true })
const worker = await buildWorker(new URL('worker.ts', import.meta.url), built)

await using cluster = await startCluster(given.broker)
const { bootstrap } = cluster
const measured = new Map<Row, Map<string, (StreamMeasurement | undefined)[]>>()
const takeovers = new Map<string, Takeover[]>()
await fillTopics()
for (let round = 0; round < rounds; round++) {
  for (const [index, row] of rows.entries()) await runRow(row, index, round)
  if (tasks.includes('takeover')) await runTakeovers(round)
}
if (rows.length > 0) process.stdout.write(`${table()}\n`)
if (takeovers.size > 0) process.stdout.write(`\n${takeoverTable()}\n`)
rmSync(folder, { recursive: true, force: true })
await cluster[Symbol.asyncDispose]()
process.exit(0)

async function fillTopics(): Promise<void> {
  say(`filling topics with ${records} orders and payments`)
  // No event may be ahead of the clock.
  const firstMs = Date.now() - records - 120_000
  await fill(bootstrap, filled.orders, records, (index) =>
    orderRecord(filled.orders, index, firstMs),
  )
  await fill(bootstrap, filled.payments, records, (index) =>
    paymentRecord(filled.payments, index, firstMs),
  )
  await fill(bootstrap, filled.keyed, records, (index) =>
    orderRecord(filled.keyed, index, firstMs, 1_000),
  )
  await createTopic(bootstrap, filled.empty, partitionCount)
}

async function runRow(row: Row, index: number, round: number): Promise<void> {
  const bySubject = measured.get(row) ?? new Map<string, (StreamMeasurement | undefined)[]>()
  measured.set(row, bySubject)
  const joinIndex = rows.findIndex(({ name }) => name.startsWith('join'))
  for (const subject of orderIn(
    round,
    row.subjects.filter((each) => !missing.has(each)),
  )) {
    const idOf = (rowIndex: number) => `r-${runId}-${round}-${rowIndex}-${subject}`
    const joinId = idOf(joinIndex)
    const isRestore = row.name.startsWith('restore')
    const stateFolder = join(folder, isRestore ? joinId : idOf(index))
    // Its state is lost.
    rmSync(stateFolder, { recursive: true, force: true })
    mkdirSync(stateFolder)
    const changes =
      isRestore && subject !== 'kafka-streams'
        ? await countRecords(bootstrap, `${joinId}.changelog`)
        : records
    const task = row.task({ subject, id: idOf(index), joinId, changes, folder: stateFolder })
    if (!isRestore) await createTopic(bootstrap, idOf(index), partitionCount)
    const measurement = await measure(subject, task)
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), measurement])
    if (measurement === undefined) continue
    const { steadyRate, peakMb, ownPeakMb = Number.NaN, ...rest } = scaled(measurement, row)
    const cpu = `${rest.steadyCpuSecondsPerMillion.toFixed(1)} CPU s per million`
    const cost = `${cpu}, ${Math.round(peakMb)} MB (${Math.round(ownPeakMb)} without files)`
    say(`round ${round + 1}, ${row.name}, ${subject}: ${Math.round(steadyRate)}/s, ${cost}`)
  }
}

/** What each input has cost. */
function scaled(measurement: StreamMeasurement, { inputs }: Row): StreamMeasurement {
  const { rate, cpuSecondsPerMillion, steadyRate, steadyCpuSecondsPerMillion } = measurement
  return {
    ...measurement,
    rate: rate * inputs,
    cpuSecondsPerMillion: cpuSecondsPerMillion / inputs,
    steadyRate: steadyRate * inputs,
    steadyCpuSecondsPerMillion: steadyCpuSecondsPerMillion / inputs,
  }
}

/** Undefined when it has failed, which is said. */
async function measure(subject: string, task: Task): Promise<StreamMeasurement | undefined> {
  try {
    const command =
      subject === 'kafka-streams'
        ? kafkaStreamsCommand(bootstrap, task)
        : workerCommand(subject, task)
    const { code, output, trouble, ownPeakMb = Number.NaN } = await runToEnd(...command)
    if (code !== 0) throw new Error(trouble.slice(0, 2_000))
    const measurement = JSON.parse(output.trim().split('\n').at(-1) ?? '') as StreamMeasurement
    return { ...measurement, ownPeakMb }
  } catch (error) {
    say(`${subject} failed: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function workerCommand(subject: string, task: Task): [string, string[]] {
  const member = task.kind === 'watch' ? task.member : ''
  const orderFile = join(folder, `order${member}.json`)
  writeFileSync(orderFile, JSON.stringify({ subject, bootstrap, task, peers: peers.folder }))
  return [process.execPath, [worker, orderFile]]
}

async function runTakeovers(round: number): Promise<void> {
  for (const subject of orderIn(round, ['millrace', 'kafka-streams'])) {
    if (missing.has(subject)) continue
    const group = `takeover-${runId}-${round}-${subject}`
    await createTopic(bootstrap, group, partitionCount)
    const task: WatchTask = {
      ...{ kind: 'watch', group, output: group, records, member: `${group}-member` },
      ...{ orders: filled.orders, payments: filled.payments },
      ...{ folder: join(folder, group), sessionTimeoutMs: 6_000 },
    }
    const isStreams = subject === 'kafka-streams'
    const command = (each: WatchTask) =>
      isStreams ? kafkaStreamsCommand(bootstrap, each) : workerCommand(subject, each)
    const runningCount = isStreams ? 1 : partitionCount
    const takeover = await measureTakeover({ bootstrap, task, command, runningCount })
    takeovers.set(subject, [...(takeovers.get(subject) ?? []), takeover])
    const { againSeconds, anewSeconds, overSeconds } = takeover
    const shown = [againSeconds, anewSeconds, overSeconds].map((each) => each.toFixed(1))
    say(`round ${round + 1}, killed, ${subject}: ${shown.join(' s, ')} s`)
  }
}

function table(): string {
  const lines = [
    '| what | who | per second | whole | by ours | CPU s / M | whole | CPU by ours | peak MB | without files | disk MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const [row, bySubject] of measured) {
    const ours = bySubject.get(row.subjects[0] ?? '') ?? []
    for (const subject of row.subjects) {
      const all = bySubject.get(subject) ?? []
      const known = all.flatMap((each) => (each === undefined ? [] : scaled(each, row)))
      if (known.length === 0) continue
      const middle = (figure: (each: StreamMeasurement) => number) => median(known.map(figure))
      const cells = [
        Math.round(middle(({ steadyRate }) => steadyRate)).toLocaleString('en'),
        Math.round(middle(({ rate }) => rate)).toLocaleString('en'),
        ratioOf(all, ours, ({ steadyRate }) => steadyRate).toFixed(2),
        middle((each) => each.steadyCpuSecondsPerMillion).toFixed(1),
        middle((each) => each.cpuSecondsPerMillion).toFixed(1),
        ratioOf(all, ours, (each) => each.steadyCpuSecondsPerMillion).toFixed(2),
        Math.round(middle(({ peakMb }) => peakMb)),
        Math.round(middle(({ ownPeakMb = Number.NaN }) => ownPeakMb)),
        Math.round(middle(({ diskMb = 0 }) => diskMb)),
      ]
      lines.push(`| ${row.name} | ${subject} | ${cells.join(' | ')} |`)
    }
  }
  return lines.join('\n')
}

function takeoverTable(): string {
  const lines = [
    '| killed | the same again, s | again without its disk, s | another goes on, s |',
    '| --- | --- | --- | --- |',
  ]
  for (const [subject, all] of takeovers) {
    const cells = [
      median(all.map(({ againSeconds }) => againSeconds)),
      median(all.map(({ anewSeconds }) => anewSeconds)),
      median(all.map(({ overSeconds }) => overSeconds)),
    ].map((seconds) => seconds.toFixed(1))
    lines.push(`| ${subject} | ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}
