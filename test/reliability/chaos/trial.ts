import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../../src/client/index.ts'
import type { Client, Consumer } from '../../../src/client/index.ts'
import { silentLog } from '../../../src/observe/index.ts'
import { heartbeatIntervalMs, sessionTimeoutMs } from './chaos-cluster.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import { ChaosWorker } from './chaos-worker.ts'
import type { ChaosWorkerOptions } from './chaos-worker.ts'
import type { ChaosClient } from './clients.ts'
import { judgeCopies, StallClock } from './judge.ts'
import type { ChaosVerdict, FoundCopy } from './judge.ts'
import type { ChaosSchedule } from './schedules.ts'

export interface TrialResult extends ChaosVerdict {
  /** The longest time in which nothing came although something was left. */
  readonly stalledSeconds: number
  /** Whether it was given up, since nothing had come for a minute. */
  readonly isStuck: boolean
  /** How often workers ended by themselves. */
  readonly crashes: number
}

export interface TrialOptions {
  readonly client: ChaosClient
  readonly schedule: ChaosSchedule
  readonly cluster: ChaosCluster
  /** The Node to run it on, and the program. */
  readonly node: string
  readonly program: string
  readonly peers: string
}

const partitions = 4
const keyCount = 40
const perSecond = 100
const tickMs = 50
const warmUpRecords = 40
const patienceMs = 60_000
const workerCount = 2

let trials = 0

/** One client does the work under one schedule; what became of it is found by a reader of committed records. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const { cluster } = options
  await using client = createClient({
    ...{ brokers: cluster.brokers, clientId: 'judge', log: silentLog },
  })
  const trial = new Trial(options, client)
  try {
    return await trial.run()
  } finally {
    await trial.end()
  }
}

class Trial {
  readonly #options: TrialOptions
  readonly #client: Client
  readonly #source: string
  readonly #target: string
  readonly #workers: readonly ChaosWorker[]
  #written = 0
  #goesOn = true

  constructor(options: TrialOptions, client: Client) {
    this.#options = options
    this.#client = client
    trials += 1
    const name = `${options.client.name}-${options.schedule.name}-${process.pid}-${trials}`
    this.#source = `source-${name}`
    this.#target = `target-${name}`
    this.#workers = Array.from({ length: workerCount + 1 }, (_, index) => {
      return new ChaosWorker(this.#workerOptions(name, `worker-${index + 1}-${name}`))
    })
  }

  async run(): Promise<TrialResult> {
    const { schedule, cluster } = this.#options
    const topics = [this.#source, this.#target].map((name) => {
      return { name, partitions, replicas: cluster.replicas }
    })
    await this.#client.admin().topics.createMany(topics)
    const workers = this.#workers.slice(0, workerCount)
    const newcomer = this.#workers[workerCount] as ChaosWorker
    for (const worker of workers) worker.start()
    await using consumer = this.#client.consumer({ offsetReset: 'earliest' })
    consumer.assign(places(this.#target))
    const seen = new Set<number>()
    const producing = this.#produce(() => seen.size)
    const stall = new StallClock(performance.now())
    // Until all of the first records are there it is only about to begin.
    await this.#follow(consumer, seen, stall, () => seen.size >= warmUpRecords)
    const begun = new StallClock(performance.now())
    let isScheduleOver = false
    const world = { cluster, workers, newcomer, sessionTimeoutMs }
    const breaking = schedule.run(world).then(() => {
      isScheduleOver = true
      this.#goesOn = false
    })
    const isDone = () => isScheduleOver && !this.#isProducing && seen.size >= this.#written
    const isStuck = !(await this.#follow(consumer, seen, begun, isDone))
    this.#goesOn = false
    await Promise.all([breaking, producing])
    await Promise.all(this.#workers.map((worker) => worker.end()))
    return {
      ...judgeCopies(this.#written, await this.#copies()),
      stalledSeconds: Math.round(begun.longestMs / 1_000),
      isStuck,
      crashes: this.#workers.reduce((sum, { crashes }) => sum + crashes, 0),
    }
  }

  async end(): Promise<void> {
    this.#goesOn = false
    for (const worker of this.#workers) await worker.kill()
  }

  #workerOptions(group: string, worker: string): ChaosWorkerOptions {
    const { client, cluster, node, program, peers } = this.#options
    return {
      ...{ node, program, recipe: client.name },
      task: {
        ...{ brokers: cluster.brokers, group, worker, peers, sessionTimeoutMs },
        ...{ source: this.#source, target: this.#target },
        heartbeatIntervalMs,
      },
    }
  }

  #isProducing = true

  /** A few records first; the others when these have been copied. */
  async #produce(copied: () => number): Promise<void> {
    await using producer = this.#client.producer({ deliveryTimeoutMs: 120_000 })
    const send = async (count: number): Promise<void> => {
      const records = Array.from({ length: count }, (_, index) => {
        const number = this.#written + index
        return { topic: this.#source, key: `k-${number % keyCount}`, value: String(number) }
      })
      await producer.send(records)
      this.#written += count
    }
    await send(warmUpRecords)
    while (this.#goesOn) {
      const tick = sleep(tickMs)
      if (copied() >= warmUpRecords) await send((perSecond * tickMs) / 1_000)
      await tick
    }
    this.#isProducing = false
  }

  /** Follows the target until `isDone`; false when nothing has come for too long. */
  async #follow(
    consumer: Consumer,
    seen: Set<number>,
    stall: StallClock,
    isDone: () => boolean,
  ): Promise<boolean> {
    while (!isDone()) {
      const before = seen.size
      for (const batch of await consumer.poll({ timeoutMs: 100 })) {
        for (const { value } of batch) seen.add(Number(String(value)))
      }
      const nowMs = performance.now()
      stall.looked(nowMs, seen.size - before, seen.size < this.#written)
      if (stall.standingMs(nowMs) > patienceMs) return false
    }
    return true
  }

  /** All that is committed in the target, partition by partition. */
  async #copies(): Promise<FoundCopy[]> {
    await using consumer = this.#client.consumer({ offsetReset: 'earliest' })
    const all = places(this.#target)
    consumer.assign(all)
    const ends = await consumer.endOffsets(all)
    const left = new Map(
      ends.flatMap(({ partition, offset }) => (offset === 0 ? [] : [[partition, offset] as const])),
    )
    const copies: FoundCopy[] = []
    while (left.size > 0) {
      for (const batch of await consumer.poll()) {
        for (const { key, value } of batch) {
          copies.push({ key: String(key), number: Number(String(value)) })
        }
        if (batch.nextOffset >= (left.get(batch.partition) ?? 0)) left.delete(batch.partition)
      }
    }
    return copies
  }
}

function places(topic: string) {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}
