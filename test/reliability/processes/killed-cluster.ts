/** The clusters that workers are tried on: each can lose a process to `kill -9`, and gets it back. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRealKafka } from '../../kafka/real-kafka.ts'

export interface KilledCluster extends AsyncDisposable {
  readonly brokers: string
  readonly replicas: number
  /** Kills a broker and starts it again; resolves when it serves. */
  killBroker(): Promise<void>
}

export const sessionTimeoutMs = 2_000

/** The dead are noticed soon, in groups of both protocols and in transactions. */
const properties = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  'group.consumer.min.session.timeout.ms': '500',
  'group.consumer.session.timeout.ms': String(sessionTimeoutMs),
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '300',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '300',
  'auto.create.topics.enable': 'false',
}

const launcher = fileURLToPath(new URL('../../../bin/millrace.js', import.meta.url))

/** The embedded broker in a process of its own, with a data folder. */
export async function startEmbeddedProcess(folder: string): Promise<KilledCluster> {
  const data = join(folder, 'broker')
  let broker = await launch(data, 0)
  const { port } = broker
  return {
    brokers: `127.0.0.1:${port}`,
    replicas: 1,
    async killBroker() {
      await end(broker.child)
      broker = await launch(data, port)
    },
    [Symbol.asyncDispose]: () => end(broker.child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function launch(data: string, port: number) {
  const settings = Object.entries(properties).flatMap(([name, value]) => {
    return name === 'auto.create.topics.enable' ? [] : ['--set', `${name}=${value}`]
  })
  const child = spawn(
    process.execPath,
    [launcher, 'broker', '--no-auto-create', '--port', String(port), '--data', data, ...settings],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    const match = /listening on [^:]+:(\d+)/.exec(text)
    if (match !== null) return { child, port: Number(match[1]) }
  }
  throw new Error(`the broker did not start: ${text}`)
}

/** Apache Kafka on three nodes, where each record is on all of them and two must have it. */
export async function startKafkaNodes(): Promise<KilledCluster> {
  const kafka = await startRealKafka({
    version: '4.1.1',
    nodes: 3,
    properties: {
      ...properties,
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'broker.session.timeout.ms': '3000',
    },
  })
  return {
    brokers: kafka.bootstrap,
    replicas: 3,
    async killBroker() {
      const node = kafka.nodes[Math.floor(Math.random() * kafka.nodes.length)]
      if (node === undefined) return
      await node.kill()
      node.launch()
      await node.ready(kafka.nodes.length)
    },
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}
