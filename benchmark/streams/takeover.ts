import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createClient, partitionOfKey } from '../../src/client/index.ts'
import { committed } from './committed.ts'
import { orderRecord, paymentRecord } from './shop.ts'
import { partitionCount } from './task.ts'
import type { WatchTask } from './task.ts'

export interface TakeoverPlan {
  readonly bootstrap: string
  /** Of one process: `member` and `folder` are changed for the second. */
  readonly task: WatchTask
  readonly command: (task: WatchTask) => readonly [string, readonly string[]]
  /** How often a process says that it runs, until all of it does. */
  readonly runningCount: number
}

/** Seconds. */
export interface Takeover {
  /** From a kill until the same member runs again, with what it had on the disk. */
  readonly againSeconds: number
  /** The same, after its disk was lost. */
  readonly anewSeconds: number
  /** From a kill until another process has put out something of each of its partitions. */
  readonly overSeconds: number
}

/** Kills processes that have joined all that there is, and measures until somebody goes on. */
export async function measureTakeover(plan: TakeoverPlan): Promise<Takeover> {
  const { task, bootstrap } = plan
  const first = new Program(plan, task)
  await first.running()
  await committed(bootstrap, task.group, 2 * task.records)
  const againSeconds = await killed(plan, first, () => undefined)
  const anewSeconds = await killed(plan, againSeconds.program, () =>
    rmSync(task.folder, { recursive: true, force: true }),
  )
  const other = new Program(plan, {
    ...task,
    member: `${task.member}-2`,
    folder: `${task.folder}-2`,
  })
  await other.ran()
  await outputOfAll(plan, 0)
  await anewSeconds.program.kill()
  const killedMs = performance.now()
  await outputOfAll(plan, 1)
  const overSeconds = (performance.now() - killedMs) / 1_000
  await other.kill()
  return {
    ...{ againSeconds: againSeconds.seconds, anewSeconds: anewSeconds.seconds },
    overSeconds,
  }
}

async function killed(plan: TakeoverPlan, program: Program, change: () => void) {
  await program.kill()
  const killedMs = performance.now()
  change()
  const next = new Program(plan, plan.task)
  await next.running()
  return { seconds: (performance.now() - killedMs) / 1_000, program: next }
}

class Program {
  readonly #child: ChildProcess
  readonly #wanted: number
  #count = 0
  #told: () => void = () => undefined

  constructor({ command, runningCount }: TakeoverPlan, task: WatchTask) {
    const [file, args] = command(task)
    this.#wanted = runningCount
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#child.stdout?.on('data', (chunk) => {
      this.#count += String(chunk).split('running').length - 1
      this.#told()
    })
  }

  /** All that there is runs here. */
  running(): Promise<void> {
    return this.#until(this.#wanted)
  }

  /** Something runs here. */
  ran(): Promise<void> {
    return this.#until(1)
  }

  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  async #until(count: number): Promise<void> {
    while (this.#count < count) await new Promise<void>((resolve) => (this.#told = resolve))
  }
}

/** Resolves when something that was written after the call has come out of each partition. */
async function outputOfAll({ bootstrap, task }: TakeoverPlan, turn: number): Promise<void> {
  await using client = createClient({ brokers: bootstrap, log: () => undefined })
  await using producer = client.producer()
  await using consumer = client.consumer({
    groupId: `watch-${task.group}-${turn}`,
    offsetReset: 'earliest',
  })
  consumer.subscribe([task.output])
  const missing = new Set(Array.from({ length: partitionCount }, (_, partition) => partition))
  // What earlier runs have written has lower numbers.
  const from = Date.now()
  const ending = new AbortController()
  const write = async () => {
    for (let index = from; !ending.signal.aborted; index++) {
      const first = Date.now() - 61_000 - index
      await producer.send([
        orderRecord(task.orders, index, first),
        paymentRecord(task.payments, index, first),
      ])
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const writing = write()
  for await (const batch of consumer) {
    for (const { key } of batch) {
      const text = String(key)
      const isNew = Number(text.slice('order-'.length)) >= from
      if (isNew) missing.delete(partitionOfKey(text, partitionCount))
    }
    if (missing.size === 0) break
  }
  ending.abort()
  await writing
}
