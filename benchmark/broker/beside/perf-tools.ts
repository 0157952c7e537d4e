import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { kafkaClassPath } from '../../../test/kafka/kafka-jars.ts'
import { runToEnd } from '../../side-by-side.ts'
import type { Server } from './servers.ts'

/** What a tool has found: records a second of its last run, and what they cost the broker. */
export interface Measured {
  readonly rate: number
  readonly brokerCpuSecondsPerMillion: number
}

interface Task {
  readonly topic: string
  readonly records: number
  readonly valueBytes: number
}

/** Runs of a tool in one virtual machine: the last one is that of compiled code. */
const runs = 2

const source = (name: string) => fileURLToPath(new URL(`java/${name}.java`, import.meta.url))

/** Apache's own producer, acks=all, with the settings that make it fast. */
export async function measureProducer(server: Server, task: Task): Promise<Measured> {
  return measured(server, task.records * runs, producerRate, 'Repeat', [
    ...[String(runs), 'org.apache.kafka.tools.ProducerPerformance'],
    ...['--topic', task.topic, '--num-records', String(task.records)],
    ...['--record-size', String(task.valueBytes), '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=${server.bootstrap}`, 'acks=all'],
    ...['linger.ms=5', 'batch.size=131072', 'buffer.memory=67108864'],
  ])
}

/** Apache's own consumer, from the beginning. */
export async function measureConsumer(server: Server, task: Task): Promise<Measured> {
  return measured(server, task.records * runs, consumerRate, 'Repeat', [
    ...[String(runs), 'org.apache.kafka.tools.ConsumerPerformance'],
    ...['--bootstrap-server', server.bootstrap, '--topic', task.topic],
    ...['--messages', String(task.records), '--timeout', '60000', '--hide-header'],
  ])
}

/** Transactions of Apache's client with 500 records and their offsets. */
export async function measureExactlyOnce(
  server: Server,
  task: { from: string; to: string; group: string; records: number; warmUp: number },
): Promise<Measured> {
  return measured(server, task.records, producerRate, 'ExactlyOnce', [
    ...[server.bootstrap, task.from, task.to, task.group],
    ...[String(task.records), String(task.warmUp)],
  ])
}

async function measured(
  server: Server,
  records: number,
  rateOf: (output: string) => number,
  program: string,
  args: readonly string[],
): Promise<Measured> {
  const classPath = await kafkaClassPath('4.1.1')
  const before = cpuSecondsOf(server.pid)
  const { code, output, trouble } = await runToEnd('java', [
    ...['-Xmx1g', '-cp', classPath, source(program), ...args],
  ])
  const cpuSeconds = cpuSecondsOf(server.pid) - before
  const rate = rateOf(output)
  if (code !== 0 || Number.isNaN(rate)) {
    throw new Error(`${program} has failed (${String(code)}): ${output}\n${trouble}`)
  }
  return { rate, brokerCpuSecondsPerMillion: (cpuSeconds * 1e6) / records }
}

function producerRate(output: string): number {
  return Number([...output.matchAll(/([\d.]+) records\/sec/g)].at(-1)?.[1])
}

/** The last figure of the line leaves out the time of joining the group. */
function consumerRate(output: string): number {
  const line = output
    .trim()
    .split('\n')
    .findLast((each) => each.includes(','))
  return Number(line?.split(',')[9])
}

/** Processor time of a process so far, its own and the system's for it (Linux). */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
