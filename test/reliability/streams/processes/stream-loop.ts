import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { createClient } from '../../../../src/client/index.ts'
import type { Client } from '../../../../src/client/index.ts'
import { silentLog } from '../../../../src/observe/index.ts'
import {
  sessionTimeoutMs,
  startEmbeddedProcess,
  startKafkaNodes,
} from '../../processes/killed-cluster.ts'
import type { KilledCluster } from '../../processes/killed-cluster.ts'
import { readCommitted } from '../found-records.ts'
import { judgedTopics, letterTopics, sourceTopics, StreamJudge } from '../judge.ts'
import {
  changelogName,
  copiesConfigs,
  groupId,
  inputsOf,
  paymentsOf,
  written,
} from '../shop-flow.ts'
import type { ShopOptions } from '../shop-flow.ts'
import { planRecords } from '../shop-records.ts'

/** What a worker is told. */
export interface ShopWorkerSettings {
  readonly brokers: string
  readonly shop: ShopOptions
  /** The folder of its state. */
  readonly state: string
  readonly groupInstanceId?: string
  readonly sessionTimeoutMs: number
}

export interface StreamLoopOptions {
  /** How often something is killed or stands still. */
  readonly faults: number
  readonly workers: number
  readonly cluster: 'embedded' | 'kafka'
  /** One fault in so many is a broker's. */
  readonly brokerOneIn: number
  readonly report?: (text: string) => void
}

export interface StreamLoopResult {
  readonly violations: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

const partitions = 4
const faultEveryMsMin = 500
const faultEveryMsMax = 1_600
const settleMsMax = 180_000
/** More than a changelog may take that is this small. */
const changelogBytesMax = 1_400

const shop: ShopOptions = {
  ...{ withinMs: 4_000, graceMs: 800, idleAfterMs: 3_000, type: 'left', unique: 'right' },
  ...{
    isRekeyed: true,
    leftOvers: 'letters',
    windowMs: 1_500,
    everyMs: undefined,
    hasSessions: false,
  },
  ...{ emit: 'close', tableGraceMs: 6_000 },
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/**
 * Services with a join and a table in processes of their own, their state in LMDB on this machine's disk: they are killed (SIGKILL),
 * stand still (SIGSTOP) for longer than their session, and are started again; so is the broker. Then all is left in peace, and what
 * is committed is held against a naive join of what was sent.
 */
export async function streamLoop(options: StreamLoopOptions): Promise<StreamLoopResult> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-streams-'))
  // Beside node_modules, where a bundle finds what it imports.
  const programs = join(root, '.cache', `streams-${process.pid}`)
  mkdirSync(programs, { recursive: true })
  try {
    const program = join(programs, 'worker.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
      ...{ outfile: program, bundle: true, platform: 'node', format: 'esm' },
      ...{ target: 'node20.19', packages: 'external', sourcemap: 'inline', logLevel: 'warning' },
    })
    await using cluster = await (options.cluster === 'kafka'
      ? startKafkaNodes()
      : startEmbeddedProcess(folder))
    await using loop = new StreamLoop(options, cluster, folder, program)
    return await loop.run()
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(programs, { recursive: true, force: true })
  }
}

/** A place for a worker, with a folder that outlives it. */
class Slot {
  readonly #name: string
  readonly #start: (errors: (text: string) => void) => ChildProcess
  #child: ChildProcess | undefined
  #errors: string[] = []
  readonly problems: string[] = []
  lives = 0
  isSuspended = false

  constructor(name: string, start: (errors: (text: string) => void) => ChildProcess) {
    this.#name = name
    this.#start = start
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  start(): void {
    this.lives++
    this.#errors = []
    const child = this.#start((text) => (this.#errors = [...this.#errors, text].slice(-50)))
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = undefined
      if (signal === 'SIGKILL' || code === 0) return
      // Told to end while its group is being formed anew: what it had worked since its last commit is its successor's.
      if (code === 2) return
      this.problems.push(`${this.#name} ended with ${code ?? signal}: ${this.#errors.join('')}`)
    })
    this.#child = child
  }

  suspend(): void {
    this.isSuspended = true
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.isSuspended = false
    this.#child?.kill('SIGCONT')
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // Who stands still hears of no other signal.
    if (this.isSuspended) this.resume()
    await exited
  }
}

class StreamLoop implements AsyncDisposable {
  readonly #options: StreamLoopOptions
  readonly #cluster: KilledCluster
  readonly #client: Client
  readonly #slots: readonly Slot[]
  readonly #counts: Record<string, number> = { kills: 0, suspensions: 0, 'kills of brokers': 0 }
  readonly #failures: string[] = []
  readonly #reviving = new Set<Promise<void>>()
  #goesOn = true

  constructor(options: StreamLoopOptions, cluster: KilledCluster, folder: string, program: string) {
    this.#options = options
    this.#cluster = cluster
    const { brokers } = cluster
    this.#client = createClient({ brokers, log: silentLog, requestTimeoutMs: 3_000 })
    this.#slots = Array.from({ length: options.workers }, (_, index) => {
      const name = `worker-${index + 1}`
      const settings: ShopWorkerSettings = {
        ...{ brokers, shop, sessionTimeoutMs, state: join(folder, name) },
        ...(index % 2 === 1 && { groupInstanceId: name }),
      }
      return new Slot(name, (errors) => {
        const child = spawn(process.execPath, ['--enable-source-maps', program], {
          env: { PATH: process.env['PATH'], SETTINGS: JSON.stringify(settings) },
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        child.stderr.on('data', (chunk: Buffer) => errors(chunk.toString()))
        return child
      })
    })
  }

  async run(): Promise<StreamLoopResult> {
    const { report = () => undefined } = this.#options
    await this.#createTopics()
    for (const slot of this.#slots) slot.start()
    const producing = this.#produce().catch((error: unknown) => {
      this.#failures.push(`the producer failed: ${String(error)}`)
    })
    await this.#breakThings()
    report('all is left in peace')
    this.#goesOn = false
    await Promise.all([producing, ...this.#reviving])
    await this.#settle()
    for (const slot of this.#slots) await slot.end('SIGTERM')
    return await this.#judge()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#goesOn = false
    for (const slot of this.#slots) await slot.end('SIGKILL')
    await this.#client.close()
  }

  async #createTopics(): Promise<void> {
    const { replicas } = this.#cluster
    const letters = letterTopics(shop)
    const names = [...sourceTopics(shop), ...written.map(({ name }) => name)]
    await this.#client.admin().topics.createMany([
      ...names.map((name) => {
        const configs = name === inputsOf(shop)[1] ? copiesConfigs : {}
        return { name, partitions, replicas, configs }
      }),
      ...letters.map((name) => {
        const configs = { 'max.message.bytes': '1200000' }
        return { name, partitions, replicas, configs }
      }),
      {
        ...{ name: changelogName, partitions, replicas },
        // Its history is what is judged: nothing of it may be compacted away.
        configs: {
          'cleanup.policy': 'delete',
          'retention.ms': '-1',
          'max.message.bytes': String(changelogBytesMax),
        },
      },
    ])
  }

  /** Batches of orders and payments, each of some seconds of events, until nothing is broken any more. */
  async #produce(): Promise<void> {
    await using producer = this.#client.producer({ deliveryTimeoutMs: 120_000 })
    const random = { integer: (below: number) => Math.floor(Math.random() * below) }
    const sent: Promise<unknown>[] = []
    const source = {
      ...{ withinMs: shop.withinMs, graceMs: shop.graceMs, orders: 120, keys: 5_000 },
      ...{ lastMs: 3_000, disorder: 'beyond' as const, badOneIn: 60 },
    }
    for (let round = 0; this.#goesOn; round++) {
      const beginsMs = Date.now()
      const numbered = planRecords({ ...source, firstNumber: round * 120 }, shop, random, beginsMs)
      for (const { atMs, record } of numbered) {
        const waitMs = beginsMs + atMs - Date.now()
        if (waitMs > 0) await sleep(waitMs)
        sent.push(producer.send([record]))
        this.#counts['records'] = (this.#counts['records'] ?? 0) + 1
      }
    }
    await Promise.all(sent)
  }

  async #breakThings(): Promise<void> {
    const { faults, brokerOneIn, report = () => undefined } = this.#options
    await sleep(3_000)
    for (let fault = 1; fault <= faults; fault++) {
      await sleep(faultEveryMsMin + Math.random() * (faultEveryMsMax - faultEveryMsMin))
      if (Math.random() * brokerOneIn < 1) {
        this.#count('kills of brokers')
        await this.#cluster.killBroker()
      } else await this.#hitWorker(fault)
      if (fault % 10 === 0) report(`${fault} of ${faults} faults`)
    }
  }

  async #hitWorker(fault: number): Promise<void> {
    const slot = await this.#standingSlot()
    // Each fourth stands still for longer than its session, so that the group goes on without it.
    if (fault % 4 === 0) {
      this.#count('suspensions')
      slot.suspend()
      this.#later(sessionTimeoutMs * (1.2 + Math.random()), () => slot.resume())
      return
    }
    this.#count('kills')
    await slot.end('SIGKILL')
    this.#later(Math.random() < 0.5 ? 0 : Math.random() * sessionTimeoutMs * 1.5, () =>
      slot.start(),
    )
  }

  /** One that works; when all of them are away just now, the next that comes back. */
  async #standingSlot(): Promise<Slot> {
    for (;;) {
      const standing = this.#slots.filter(({ isRunning, isSuspended }) => isRunning && !isSuspended)
      const slot = standing[Math.floor(Math.random() * standing.length)]
      if (slot !== undefined) return slot
      await sleep(50)
    }
  }

  #later(delayMs: number, act: () => void): void {
    const revived = sleep(delayMs).then(act)
    this.#reviving.add(revived)
    void revived.then(() => this.#reviving.delete(revived))
  }

  /** Until each group has committed to the end of its topics. */
  async #settle(): Promise<void> {
    const deadlineMs = performance.now() + settleMsMax
    for (;;) {
      const left = await this.#left().catch((error: unknown) => [String(error)])
      if (left.length === 0) return
      const problems = [...this.#failures, ...this.#slots.flatMap(({ problems }) => problems)]
      if (performance.now() > deadlineMs || problems.length > 0) {
        throw new Error(['not everything is committed:', ...left, ...problems].join('\n'))
      }
      await sleep(200)
    }
  }

  async #left(): Promise<string[]> {
    const left: string[] = []
    await using consumer = this.#client.consumer({
      ...{ offsetReset: 'none', isolation: 'read_uncommitted' },
    })
    const groups: [string, string[]][] = [
      [`${groupId}.paid-by-key-1`, [paymentsOf(shop).name]],
      [groupId, inputsOf(shop)],
    ]
    for (const [group, topics] of groups) {
      const committed = await this.#client.admin().groups.offsets(group)
      for (const topic of topics) {
        const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
        for (const { partition, offset: end } of await consumer.endOffsets(places)) {
          const known = committed.find(
            (each) => each.topic === topic && each.partition === partition,
          )
          const offset = known !== undefined && known.error === undefined ? known.offset : 0
          if (offset < end) left.push(`${topic}-${partition}: ${offset} of ${end}`)
        }
      }
    }
    return left
  }

  async #judge(): Promise<StreamLoopResult> {
    const judge = new StreamJudge({
      ...{ shop, partitions, isChangelogSmall: true, isDisorderBelowGrace: false },
      found: await readCommitted(this.#client, judgedTopics(shop)),
    })
    const violations = [...judge.judge(), ...this.#failures]
    violations.push(...this.#slots.flatMap(({ problems }) => problems))
    const processes = this.#slots.reduce((sum, { lives }) => sum + lives, 0)
    return { violations, figures: { ...this.#counts, processes, ...judge.figures } }
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }
}
