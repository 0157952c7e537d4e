import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../../src/client/index.ts'
import { installPeers } from '../client/peers.ts'
import { makeValue } from '../client/task.ts'
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
import type { Measurement } from '../stopwatch.ts'
import { sendBatches } from './handling.ts'
import { measureParallelConsumer, prepareParallelConsumer } from './parallel-consumer.ts'
import { filled, longer, rowsOf } from './rows.ts'
import type { Row } from './rows.ts'
import { keyCount, partitionCount, valueBytes } from './task.ts'
import type { StallMeasurement, Task } from './task.ts'

const help = `Usage: npm run bench:runtime [-- options]

The consumer runtime beside others: each task is given to all of them in turn, round after round, each time in a
new process, so that a machine that slows down slows all. The table has medians, and ratios to ours.

  --broker kafka|embedded   what they talk to (kafka: Apache Kafka 4.1, needs Java)   [kafka]
  --rounds N                how often                                                 [3]
  --tasks LIST              of handler,nothing,full,experiment,matrix,client,publish,memory  [all]
  --records N               where a handler does nothing                              [300000]
  --backlog N               records of the topic whose handlers stall                 [1000000]

Examples:
  npm run bench:runtime -- --rounds 1 --tasks nothing,client
  npm run bench:runtime -- --tasks memory --backlog 5000000
`

const { values: given } = parseArgs({
  options: {
    broker: { type: 'string', default: 'kafka' },
    rounds: { type: 'string', default: '3' },
    tasks: {
      type: 'string',
      default: 'handler,nothing,full,experiment,matrix,client,publish,memory',
    },
    records: { type: 'string', default: '300000' },
    backlog: { type: 'string', default: '1000000' },
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
const backlog = Number(given.backlog)
const tasks = given.tasks.split(',')
const rows = rowsOf(records).filter(({ pick }) => tasks.includes(pick))
const asked = new Set(rows.flatMap(({ subjects }) => subjects))
const peers = installPeers([...asked])
const missing = new Map(peers.missing)
if (asked.has('parallel-consumer')) {
  const reason = prepareParallelConsumer()
  if (reason !== undefined) {
    for (const name of ['parallel-consumer', 'parallel-consumer-100']) missing.set(name, reason)
  }
}
for (const [subject, reason] of missing) say(`${subject} is left out: ${reason}`)
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const worker = await buildWorker(new URL('worker.ts', import.meta.url), folder)
const built = copyBuild('bench-runtime')

await using cluster = await startCluster(given.broker)
const { bootstrap } = cluster
const measured = new Map<Row, Map<string, (Measurement | undefined)[]>>()
await fillTopics()
for (let round = 0; round < rounds; round++) {
  for (const [index, row] of rows.entries()) await runRow(row, index, round)
}
if (rows.length > 0) process.stdout.write(`${table()}\n`)
if (tasks.includes('memory')) process.stdout.write(`\n${await memoryTable()}\n`)
rmSync(folder, { recursive: true, force: true })
await cluster[Symbol.asyncDispose]()
process.exit(0)

async function fillTopics(): Promise<void> {
  const picks = new Set(rows.map(({ pick }) => pick))
  if (['handler', 'nothing', 'matrix', 'client'].some((pick) => picks.has(pick))) {
    await fill(filled.keyed, partitionCount, Math.max(records, 25_000))
  }
  if (picks.has('client')) await fill(filled.long, partitionCount, longer * records)
  if (picks.has('experiment')) await fill(filled.single, 1, 10_000)
  if (picks.has('full')) {
    say(`filling ${filled.events} with ${records} events`)
    await createTopic(bootstrap, filled.events, partitionCount)
    await runWorker('millrace', { kind: 'publish', topic: filled.events, records })
  }
}

async function fill(topic: string, partitions: number, count: number, bytes = valueBytes) {
  say(`filling ${topic} with ${count} records of ${bytes} B`)
  await createTopic(bootstrap, topic, partitions)
  const value = makeValue(bytes)
  await using client = createClient({ brokers: bootstrap, log: () => undefined })
  await using producer = client.producer()
  await sendBatches(count, (first, each) =>
    producer.send(
      Array.from({ length: Math.min(each, count - first) }, (_, index) => ({
        topic,
        key: `key-${(first + index) % keyCount}`,
        value,
      })),
    ),
  )
}

async function runRow(row: Row, index: number, round: number): Promise<void> {
  const bySubject = measured.get(row) ?? new Map<string, (Measurement | undefined)[]>()
  measured.set(row, bySubject)
  const subjects = row.subjects.filter((subject) => !missing.has(subject))
  for (const subject of orderIn(round, subjects)) {
    const topic = `t-${round}-${index}-${subject}`
    const task = row.task(subject, topic)
    if (task.kind === 'publish') await createTopic(bootstrap, topic, partitionCount)
    const measurement = await measure(subject, task)
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), measurement])
    if (measurement === undefined) continue
    const { rate, cpuSecondsPerMillion: cpu, peakMb } = measurement
    const cost = `${cpu.toFixed(2)} CPU s per million, ${Math.round(peakMb)} MB`
    say(`round ${round + 1}, ${row.name}, ${subject}: ${Math.round(rate)}/s, ${cost}`)
  }
}

/** Undefined when it has failed, which is said. */
async function measure(subject: string, task: Task): Promise<Measurement | undefined> {
  try {
    if (subject.startsWith('parallel-consumer') && task.kind === 'consume') {
      return await measureParallelConsumer(bootstrap, task)
    }
    return (await runWorker(subject, task)) as Measurement
  } catch (error) {
    say(`${subject} failed: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

async function runWorker(subject: string, task: Task): Promise<object> {
  const orderFile = join(folder, 'order.json')
  writeFileSync(orderFile, JSON.stringify({ subject, bootstrap, task, peers: peers.folder, built }))
  const node = subject.startsWith('platformatic') ? peers.node24 : process.execPath
  const { code, output, trouble } = await runToEnd(node, [worker, orderFile])
  if (code !== 0) throw new Error(trouble.slice(0, 2_000))
  return JSON.parse(output) as object
}

function table(): string {
  const lines = [
    '| what | who | per second | by ours | CPU s / M | CPU by ours | peak MB |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const [{ name, subjects }, bySubject] of measured) {
    const ours = bySubject.get(subjects[0] ?? '') ?? []
    for (const subject of subjects) {
      const all = bySubject.get(subject) ?? []
      const known = all.filter((each) => each !== undefined)
      if (known.length === 0) continue
      const cells = [
        Math.round(median(known.map(({ rate }) => rate))).toLocaleString('en'),
        ratioOf(all, ours, ({ rate }) => rate).toFixed(2),
        median(known.map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)).toFixed(2),
        ratioOf(all, ours, ({ cpuSecondsPerMillion }) => cpuSecondsPerMillion).toFixed(2),
        Math.round(median(known.map(({ peakMb }) => peakMb))),
      ]
      lines.push(`| ${name} | ${subject} | ${cells.join(' | ')} |`)
    }
  }
  return lines.join('\n')
}

/** What a backlog costs that nobody works on: it may make no difference how long it is, or how long it waits. */
async function memoryTable(): Promise<string> {
  const lines = [
    '| backlog | settled MB | later MB | later by settled | peak MB |',
    '| --- | --- | --- | --- | --- |',
  ]
  for (const count of [Math.round(backlog / 4), backlog]) {
    const topic = `backlog-${count}`
    await fill(topic, partitionCount, count, 100)
    const task = { kind: 'stall', topic, handled: backlog / 40, watchMs: 15_000 }
    const { settledMb, laterMb, peakMb } = (await runWorker(
      'millrace',
      task as Task,
    )) as StallMeasurement
    const cells = [settledMb, laterMb, laterMb / settledMb, peakMb].map((figure) =>
      figure < 10 ? figure.toFixed(2) : String(Math.round(figure)),
    )
    lines.push(`| ${count.toLocaleString('en')} | ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}
