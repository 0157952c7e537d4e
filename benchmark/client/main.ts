import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  buildWorker,
  copyBuild,
  createTopic,
  orderIn,
  ratioOf,
  runToEnd,
  startCluster,
} from '../side-by-side.ts'
import { median } from '../statistics.ts'
import { measureJava } from './java.ts'
import { installPeers } from './peers.ts'
import { partitionCount } from './task.ts'
import type { Measurement, Task } from './task.ts'

const help = `Usage: npm run bench:client [-- options]

Clients side by side: each task is given to all of them in turn, round after round, each time in a new
process, so that a machine that slows down slows all. The table has medians, and ratios to ours.

  --broker kafka|embedded   what they talk to (kafka: Apache Kafka 4.1, needs Java)   [kafka]
  --rounds N                how often                                                 [5]
  --tasks LIST              of produce,consume,transactions,latency,start             [all]
  --sizes LIST              bytes of a value                                          [100,350,1024]
  --subjects LIST           of millrace,millrace-24,kafkajs,confluent,platformatic-1,platformatic-2,java
                            and, for single sends, socket,socket-24: the same bytes without a client
  --records N               records of a produce or consume task                      [500000]

Examples:
  npm run bench:client -- --rounds 1 --sizes 350
  npm run bench:client -- --tasks produce --subjects millrace,platformatic-1,java
`

const { values: given } = parseArgs({
  options: {
    broker: { type: 'string', default: 'kafka' },
    rounds: { type: 'string', default: '5' },
    tasks: { type: 'string', default: 'produce,consume,transactions,latency,start' },
    sizes: { type: 'string', default: '100,350,1024' },
    subjects: {
      type: 'string',
      default: 'millrace,millrace-24,kafkajs,confluent,platformatic-1,platformatic-2,java',
    },
    records: { type: 'string', default: '500000' },
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
const sizes = given.sizes.split(',').map(Number)
const tasks = given.tasks.split(',')
const asked = given.subjects.split(',')
const peers = installPeers(asked)
for (const [subject, reason] of peers.missing) say(`${subject} is left out: ${reason}`)
const subjects = asked.filter((subject) => !peers.missing.has(subject))
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const worker = await buildWorker(new URL('worker.ts', import.meta.url), folder)
const built = copyBuild('bench-client')

/** A row of the table: one task, and what each subject did with it. */
interface Row {
  readonly name: string
  readonly task: (topic: string) => Task
  /** Undefined in a round in which a subject has failed. */
  readonly bySubject: Map<string, (Measurement | undefined)[]>
}

const rows: Row[] = []
const row = (name: string, task: (topic: string) => Task) => {
  rows.push({ name, task, bySubject: new Map() })
}
for (const valueBytes of sizes) {
  if (tasks.includes('produce')) {
    row(`produce ${valueBytes} B`, (topic) => ({ kind: 'produce', topic, records, valueBytes }))
  }
  if (tasks.includes('consume')) {
    const filled = `filled-${valueBytes}`
    for (const mode of ['batches', 'records'] as const) {
      row(`consume ${valueBytes} B, ${mode}`, () => ({
        kind: 'consume',
        topic: filled,
        records,
        mode,
      }))
    }
  }
}
if (tasks.includes('transactions')) {
  const valueBytes = 350
  row('transactions of 500', (topic) => ({
    kind: 'transactions',
    topic,
    transactions: 40,
    recordsEach: 500,
    valueBytes,
  }))
  row('transactions of 1', (topic) => ({
    kind: 'transactions',
    topic,
    transactions: 200,
    recordsEach: 1,
    valueBytes,
  }))
}
if (tasks.includes('latency')) {
  // A process that has just begun spends much of its time on compiling what it runs.
  for (const [name, warmUps, count] of [
    ['single sends, the first 3,000', 200, 3_000],
    ['single sends, later', 5_000, 5_000],
  ] as const) {
    row(name, (topic) => ({ kind: 'latency', topic, warmUps, records: count, valueBytes: 350 }))
  }
}
if (tasks.includes('start')) row('start to first record, ms', (topic) => ({ kind: 'start', topic }))

await using broker = await startCluster(given.broker)
const { bootstrap } = broker
for (const valueBytes of sizes) {
  if (!tasks.includes('consume')) continue
  say(`filling a topic with ${records} records of ${valueBytes} B`)
  await createTopic(bootstrap, `filled-${valueBytes}`, partitionCount)
  await measure('platformatic-1', {
    kind: 'produce',
    topic: `filled-${valueBytes}`,
    records,
    valueBytes,
  })
}
for (let round = 1; round <= rounds; round++) {
  for (const [index, { name, task, bySubject }] of rows.entries()) {
    for (const subject of orderIn(round, subjects)) {
      const topic = `t-${round}-${index}-${subject}`
      await createTopic(bootstrap, topic, partitionCount)
      const measurement = await measure(subject, task(topic))
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), measurement])
      if (measurement === undefined) continue
      const { rate, p99Ms } = measurement
      const p99 = p99Ms === undefined ? '' : `, p99 ${p99Ms.toFixed(2)} ms`
      say(`round ${round}, ${name}, ${subject}: ${Math.round(rate)}${p99}`)
    }
  }
}
process.stdout.write(`${table()}\n`)
await broker[Symbol.asyncDispose]()
process.exit(0)

async function measure(subject: string, task: Task): Promise<Measurement | undefined> {
  if (subject === 'java') return measureJava(bootstrap, task)
  const orderFile = join(folder, 'order.json')
  const name = subject.replace(/-24$/, '')
  writeFileSync(
    orderFile,
    JSON.stringify({ subject: name, bootstrap, task, peers: peers.folder, built }),
  )
  const on24 = subject.endsWith('-24') || subject.startsWith('platformatic')
  const startedMs = performance.now()
  const node = on24 ? peers.node24 : process.execPath
  const { code, output, trouble } = await runToEnd(node, [worker, orderFile])
  if (task.kind === 'start' && code === 0) {
    return {
      rate: performance.now() - startedMs,
      cpuSecondsPerMillion: Number.NaN,
      peakMb: Number.NaN,
    }
  }
  if (code === 0) return JSON.parse(output) as Measurement
  if (!trouble.includes('cannot')) say(`${subject} failed: ${trouble.slice(0, 2000)}`)
  return undefined
}

function table(): string {
  const lines = [
    '| what | client | rate | by ours | CPU s / M | peak MB | p50 ms | p99 ms |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const { name, bySubject } of rows) {
    const ours = bySubject.get('millrace') ?? []
    for (const [subject, all] of bySubject) {
      const measured = all.filter((each) => each !== undefined)
      if (measured.length === 0) continue
      const middle = (figure: (each: Measurement) => number | undefined) =>
        median(measured.map((each) => figure(each) ?? Number.NaN))
      const cells = [
        Math.round(middle(({ rate }) => rate)).toLocaleString('en'),
        ratioOf(all, ours, ({ rate }) => rate).toFixed(2),
        middle(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion).toFixed(2),
        Math.round(middle(({ peakMb }) => peakMb)),
        middle(({ p50Ms }) => p50Ms).toFixed(2),
        middle(({ p99Ms }) => p99Ms).toFixed(2),
      ]
      lines.push(`| ${name} | ${subject} | ${cells.join(' | ')} |`)
    }
  }
  return lines.join('\n').replaceAll('NaN', '')
}
