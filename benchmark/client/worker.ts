import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Measurement, Order, Run, Stopwatch, Subject, Task } from './task.ts'

/*
 * One client, one task, one process: `node worker.js ORDER.json`. Prints what it measured as JSON. A peer is
 * loaded from where the peers are installed, ours from the build that is published.
 */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order
async function loadPeer(name: string, folder = order.peers): Promise<unknown> {
  const { href } = pathToFileURL(`${folder}/load-peer.mjs`)
  return ((await import(href)) as { loadPeer: (name: string) => Promise<unknown> }).loadPeer(name)
}

const makers: Record<string, () => Promise<Subject>> = {
  kafkajs: async () => {
    const { subject } = await import('./subject/kafkajs.ts')
    return subject((await loadPeer('kafkajs')) as never)
  },
  confluent: async () => {
    const { subject } = await import('./subject/confluent.ts')
    const name = '@confluentinc/kafka-javascript'
    return subject((await loadPeer(name, `${order.peers}/confluent`)) as never)
  },
  'platformatic-1': async () => {
    const { subject } = await import('./subject/platformatic.ts')
    return subject((await loadPeer('platformatic-1')) as never)
  },
  'platformatic-2': async () => {
    const { subject } = await import('./subject/platformatic.ts')
    return subject((await loadPeer('platformatic-2')) as never)
  },
  socket: async () => (await import('./subject/socket.ts')).subject(),
  millrace: async () => {
    const { subject } = await import('./subject/millrace.ts')
    const { href } = pathToFileURL(`${order.built}/client/index.js`)
    return subject((await import(href)) as never)
  },
}

class ProcessStopwatch implements Stopwatch {
  readonly #latencies: number[] = []
  #startedMs = 0
  #cpu = process.cpuUsage()
  measurement: Measurement | undefined

  start(): void {
    this.#cpu = process.cpuUsage()
    this.#startedMs = performance.now()
  }

  stop(count: number): void {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const { user, system } = process.cpuUsage(this.#cpu)
    const sorted = this.#latencies.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
    this.measurement = {
      rate: count / seconds,
      cpuSecondsPerMillion: (user + system) / count,
      peakMb: process.resourceUsage().maxRSS / 1024,
      ...(sorted.length > 0 ? { p50Ms: at(0.5), p99Ms: at(0.99) } : {}),
    }
  }

  latency(ms: number): void {
    this.#latencies.push(ms)
  }
}

const subject = await makers[order.subject]?.()
const run = subject?.[order.task.kind] as Run<Task['kind']> | undefined
if (run === undefined) throw new Error(`${order.subject} cannot ${order.task.kind}`)
const stopwatch = new ProcessStopwatch()
await run(order.task, { bootstrap: order.bootstrap, stopwatch })
process.stdout.write(`${JSON.stringify(stopwatch.measurement ?? {})}\n`)
process.exit(0)
