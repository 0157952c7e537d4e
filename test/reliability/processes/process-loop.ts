import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { createClient } from '../../../src/client/index.ts'
import type { Client } from '../../../src/client/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import { sessionTimeoutMs, startEmbeddedProcess, startKafkaNodes } from './killed-cluster.ts'
import type { KilledCluster } from './killed-cluster.ts'
import { valueOf } from './records.ts'
import { readTopic, Survey } from './survey.ts'
import { ProcessWitness } from './witness.ts'
import { WorkerSlot } from './worker-slot.ts'

const topic = 'orders'
const target = 'copies'
const group = 'workers'
const partitions = 6
const keyCount = 60
const batchSize = 10
const batchEveryMs = 60
const lookEveryMs = 150
/** Over ten times the longest handler: kills as often as that quarantine nothing. */
const faultEveryMsMin = 450
const faultEveryMsMax = 1_400
const settleMsMax = 180_000

export interface ProcessLoopOptions {
  /** How often something is killed or stands still. */
  readonly faults: number
  readonly workers: number
  readonly groupProtocol: 'classic' | 'consumer'
  readonly exactlyOnce: boolean
  readonly cluster: 'embedded' | 'kafka'
  /** One fault in so many is a broker's; none when undefined. */
  readonly brokerOneIn?: number | undefined
  readonly report?: (text: string) => void
}

export interface ProcessLoopResult {
  readonly violations: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Services in processes of their own, under load: they are killed (SIGKILL), stand still (SIGSTOP) for longer than their
 * session, and are started again; and so is the broker. Then all is left in peace, until everything is committed.
 */
export async function processLoop(options: ProcessLoopOptions): Promise<ProcessLoopResult> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-processes-'))
  // Beside node_modules, where a bundle finds what it imports.
  const programs = join(root, '.cache', `processes-${process.pid}`)
  mkdirSync(programs, { recursive: true })
  try {
    const program = join(programs, 'worker.mjs')
    await bundleWorker(program)
    await using cluster = await (options.cluster === 'kafka'
      ? startKafkaNodes()
      : startEmbeddedProcess(folder))
    await using loop = new ProcessLoop(options, cluster, folder, program)
    return await loop.run()
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(programs, { recursive: true, force: true })
  }
}

async function bundleWorker(outfile: string): Promise<void> {
  const worker = fileURLToPath(new URL('worker.ts', import.meta.url))
  await build({
    entryPoints: [worker],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20.19' },
    ...{ packages: 'external', sourcemap: 'inline', logLevel: 'warning' },
  })
}

class ProcessLoop implements AsyncDisposable {
  readonly #options: ProcessLoopOptions
  readonly #cluster: KilledCluster
  readonly #client: Client
  readonly #slots: WorkerSlot[]
  readonly #witness = new ProcessWitness()
  readonly #counts: Record<string, number> = { kills: 0, suspensions: 0, 'kills of brokers': 0 }
  readonly #acknowledged = new Set<string>()
  readonly #reviving = new Set<Promise<void>>()
  /** Of the parts of this program that work beside each other. */
  readonly #failures: string[] = []
  #goesOn = true

  constructor(
    options: ProcessLoopOptions,
    cluster: KilledCluster,
    folder: string,
    program: string,
  ) {
    this.#options = options
    this.#cluster = cluster
    const { brokers } = cluster
    this.#client = createClient({ brokers, log: silentLog, requestTimeoutMs: 3_000 })
    const { exactlyOnce, groupProtocol } = options
    const settings = {
      ...{ brokers, topic, target, group, groupProtocol, sessionTimeoutMs, exactlyOnce },
    }
    this.#slots = Array.from({ length: options.workers }, (_, index) => {
      // Some are static: their successors have their partitions at once.
      const isStatic = index % 2 === 1
      return new WorkerSlot(`worker-${index + 1}`, { folder, program, settings, isStatic })
    })
  }

  async run(): Promise<ProcessLoopResult> {
    const { workers, report = () => undefined } = this.#options
    await this.#client.admin().topics.createMany(
      [topic, target].map((name) => {
        return { name, partitions, replicas: this.#cluster.replicas }
      }),
    )
    for (const slot of this.#slots) slot.start()
    await using survey = new Survey({
      ...{ client: this.#client, witness: this.#witness, slots: this.#slots },
      ...{ topic, group, partitions },
    })
    const producing = this.#produce().catch((error: unknown) => {
      this.#failures.push(`the producer failed: ${String(error)}`)
    })
    const looking = this.#look(survey)
    await this.#untilAllWork()
    report(`${workers} processes work`)
    await this.#breakThings()
    report('all is left in peace')
    this.#goesOn = false
    await Promise.all([producing, looking, ...this.#reviving])
    await this.#settle(survey)
    for (const slot of this.#slots) await slot.end()
    return await this.#judge(survey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#goesOn = false
    for (const slot of this.#slots) await slot[Symbol.asyncDispose]()
    await this.#client.close()
  }

  async #produce(): Promise<void> {
    await using producer = this.#client.producer({ deliveryTimeoutMs: 120_000 })
    const sent: Promise<void>[] = []
    let id = 0
    while (this.#goesOn) {
      const records = Array.from({ length: batchSize }, () => {
        id += 1
        return { topic, key: `k-${id % keyCount}`, value: valueOf(id) }
      })
      const acknowledged = () => {
        for (const { value } of records) this.#acknowledged.add(value)
      }
      sent.push(
        producer.send(records).then(acknowledged, (error: unknown) => {
          this.#failures.push(`a producer failed: ${String(error)}`)
        }),
      )
      await sleep(batchEveryMs)
    }
    await Promise.all(sent)
  }

  async #look(survey: Survey): Promise<void> {
    while (this.#goesOn) {
      // A broker that is being killed does not answer.
      await survey.look().catch(() => undefined)
      await sleep(lookEveryMs)
    }
  }

  /** Until each of them has begun something. */
  async #untilAllWork(): Promise<void> {
    const deadlineMs = performance.now() + settleMsMax
    const works = ({ lives }: WorkerSlot) =>
      lives.some(({ lines }) => lines.some(({ what }) => what === 'start'))
    while (!this.#slots.every(works)) {
      this.#checkTime(deadlineMs, 'not all processes work')
      await sleep(50)
    }
  }

  async #breakThings(): Promise<void> {
    const { faults, brokerOneIn = Infinity, report = () => undefined } = this.#options
    for (let fault = 1; fault <= faults; fault++) {
      await sleep(faultEveryMsMin + Math.random() * (faultEveryMsMax - faultEveryMsMin))
      if (Math.random() * brokerOneIn < 1) await this.#killBroker()
      else await this.#hitWorker(fault)
      if (fault % 10 === 0)
        report(`${fault} of ${faults} faults, ${this.#acknowledged.size} records`)
    }
  }

  async #killBroker(): Promise<void> {
    this.#count('kills of brokers')
    await this.#cluster.killBroker()
  }

  async #hitWorker(fault: number): Promise<void> {
    const standing = this.#slots.filter(({ isRunning, isSuspended }) => isRunning && !isSuspended)
    const slot = standing[Math.floor(Math.random() * standing.length)]
    if (slot === undefined) return
    // Each fourth stands still for longer than its session, so that the group goes on without it.
    if (fault % 4 === 0) {
      this.#count('suspensions')
      slot.suspend()
      this.#later(sessionTimeoutMs * (1.2 + Math.random()), () => slot.resume())
      return
    }
    this.#count('kills')
    await slot.kill()
    const pauseMs = Math.random() < 0.5 ? 0 : Math.random() * sessionTimeoutMs * 1.5
    this.#later(pauseMs, () => slot.start())
  }

  #later(delayMs: number, act: () => void): void {
    const revived = sleep(delayMs).then(act)
    this.#reviving.add(revived)
    void revived.then(() => this.#reviving.delete(revived))
  }

  /** Until all that was written is committed as ended. */
  async #settle(survey: Survey): Promise<void> {
    const deadlineMs = performance.now() + settleMsMax
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    await using consumer = this.#client.consumer({ offsetReset: 'earliest' })
    const ends = await consumer.endOffsets(places)
    for (;;) {
      const frontiers = await survey.look().catch(() => new Map<number, number>())
      if (ends.every(({ partition, offset }) => (frontiers.get(partition) ?? 0) >= offset)) return
      const left = ends.map((end) => `${frontiers.get(end.partition) ?? 0}/${end.offset}`)
      this.#checkTime(deadlineMs, `not everything is committed: ${left.join(' ')}`)
      await sleep(lookEveryMs)
    }
  }

  async #judge(survey: Survey): Promise<ProcessLoopResult> {
    await survey.look()
    const records = await readTopic(this.#client, topic, partitions)
    const lives = this.#slots.flatMap((slot) => slot.lives)
    const violations = [...this.#witness.judge(records, lives)]
    violations.push(...this.#problems)
    const values = records.map(({ value }) => value)
    const there = new Set(values)
    if (there.size !== values.length) violations.push('a record is in its topic twice')
    const unlike = [
      ...values.filter((value) => !this.#acknowledged.has(value)),
      ...[...this.#acknowledged].filter((value) => !there.has(value)),
    ]
    violations.push(...unlike.map((value) => `${value} is acknowledged or there, and not both`))
    if (this.#options.exactlyOnce) violations.push(...(await this.#checkCopies(records)))
    const runs = lives.flatMap(({ lines }) => lines).filter(({ what }) => what === 'start').length
    return {
      violations,
      figures: {
        ...this.#counts,
        processes: lives.length,
        'processes cut off': lives.filter(({ wasCutOff }) => wasCutOff).length,
        records: records.length,
        'handler runs': runs,
        'dead letters': this.#witness.letterCount,
        'commits looked at': this.#witness.commitCount,
      },
    }
  }

  /** What was sent under exactly-once is there once, in order, and nothing of what became a letter. */
  async #checkCopies(
    records: readonly {
      readonly value: string
      readonly partition: number
      readonly offset: number
    }[],
  ): Promise<string[]> {
    const problems: string[] = []
    const copies = await readTopic(this.#client, target, partitions)
    const seen = new Set<string>()
    const last = new Map<string, number>()
    for (const { key, value } of copies) {
      if (seen.has(value)) problems.push(`the copy of ${value} is there twice`)
      seen.add(value)
      const id = Number.parseInt(value, 10)
      if (id < (last.get(key) ?? 0)) problems.push(`the copy of ${value} comes too late`)
      last.set(key, id)
    }
    for (const record of records) {
      const isLettered = this.#witness.hasLetter(record)
      if (seen.has(record.value) !== isLettered) continue
      problems.push(`${record.value} has ${isLettered ? 'a copy and a letter' : 'no copy'}`)
    }
    return problems
  }

  get #problems(): string[] {
    return [...this.#failures, ...this.#slots.flatMap(({ problems }) => problems)]
  }

  #checkTime(deadlineMs: number, what: string): void {
    const problems = this.#problems
    if (performance.now() > deadlineMs || problems.length > 0)
      throw new Error([what, ...problems].join('\n'))
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }
}
