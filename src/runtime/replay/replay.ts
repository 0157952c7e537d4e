import { partitionKey } from '../../client/index.ts'
import type { TopicPartition } from '../../client/index.ts'
import type { Driver, RecordSource } from '../../driver/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Log, RuntimeMetrics } from '../../observe/index.ts'
import type { Platform, Timer } from '../../platform/index.ts'
import type { ConsumerSettings, ReplayAssembly } from '../assemble.ts'
import type { ConsumerEvents } from '../consumer-events.ts'
import type { ConsumerRun } from '../consumer-run.ts'
import type { Ending } from '../outcome.ts'
import { findRanges } from './find-ranges.ts'
import { RangeSource } from './range-source.ts'
import type { ReplayRange } from './range-source.ts'
import type { ReplayedConsumer, ReplayPlan } from './replay-options.ts'

/** How the records of a replay have ended. */
export interface ReplayResult {
  readonly handled: number
  readonly skipped: number
  readonly deadLettered: number
}

/** What a replay makes of the consumer whose handlers it runs. */
export interface ReplayChanges {
  readonly settings: ConsumerSettings
  readonly replay: ReplayAssembly
  readonly ended: ConsumerEvents['ended']
}

export interface ReplayParts {
  readonly platform: Platform
  readonly log: Log
  readonly metrics: Pick<RuntimeMetrics, 'replayedRecords'>
  readonly driver: Driver
  readonly plan: ReplayPlan<ReplayedConsumer>
  /** Puts the consumer together that reads again. */
  readonly assemble: (changes: ReplayChanges) => ConsumerRun
  /** Aborts when the service ends. */
  readonly ending: AbortSignal
}

const progressMs = 10_000
const noneEnded: Readonly<Record<Ending, number>> = {
  done: 0,
  skipped: 0,
  'dead-lettered': 0,
  forwarded: 0,
}

/**
 * Reads ranges of a topic again, through the handlers of a consumer: in the order of its keys, with its concurrency, and
 * with what it does about failures, but that nothing is tried again later by a copy. It is a group of its own, which
 * leaves nothing behind.
 *
 * - **reading** → **ended**: all records of the ranges have; or one of its partitions stands, it was aborted, or the
 *   group failed: then what runs may end, and it rejects.
 */
export class Replay {
  readonly #parts: ReplayParts
  readonly #groupId: string
  readonly #ended = { ...noneEnded }
  #ranges: readonly ReplayRange[] = []
  #run: ConsumerRun | undefined
  #source: RangeSource | undefined
  #settle: ((failure: Error | undefined) => void) | undefined

  constructor(parts: ReplayParts) {
    this.#parts = parts
    const id = Buffer.from(parts.platform.random.bytes(9)).toString('base64url')
    this.#groupId = `${parts.plan.definition.settings.groupId}.replay.${id}`
  }

  async run(): Promise<ReplayResult> {
    const { plan, ending, log } = this.#parts
    const { topic, signal = ending } = plan
    const either = AbortSignal.any([signal, ending])
    either.throwIfAborted()
    this.#ranges = await this.#find()
    const ranges = this.#ranges.map(({ partition, from, to }) => `${partition}: ${from}-${to}`)
    const records = this.#ranges.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0)
    log('info', `${topic} is replayed`, { topic, offsets: ranges.join(', '), records })
    if (records > 0) await this.#read(either, records)
    const { done, skipped, 'dead-lettered': deadLettered } = this.#ended
    const result = { handled: done, skipped, deadLettered }
    log('info', `the replay of ${topic} has ended`, { topic, ...result })
    return result
  }

  /** Which records are meant: ends stand still from here on. */
  async #find(): Promise<readonly ReplayRange[]> {
    const { driver, plan } = this.#parts
    const { topic, partitions, from, to } = plan
    const described = await driver.admin().topics.describe(topic)
    const finder = driver.source({
      ...plan.definition.settings.source,
      groupId: this.#groupId,
      offsetReset: 'none',
    })
    try {
      const partitionCount = described.partitions.length
      return await findRanges(finder, { topic, partitions, from, to, partitionCount })
    } finally {
      await finder.close()
    }
  }

  async #read(signal: AbortSignal, records: number): Promise<void> {
    const { assemble, plan } = this.#parts
    const { settings } = plan.definition
    const ended = new Promise<Error | undefined>((resolve) => (this.#settle = resolve))
    const run = assemble({
      settings: this.#settings(),
      replay: {
        groupId: settings.groupId,
        bounded: (source) => this.#bounded(source),
        stopped: (partition, reason, error) => this.#settle?.(stopped(partition, reason, error)),
      },
      ended: ({ sourceTopic: topic }, ending) => {
        this.#ended[ending]++
        const status = ending.replace('-', '_')
        this.#parts.metrics.replayedRecords.with({ topic, status }).add(1)
        this.#look()
      },
    })
    this.#run = run
    const abort = () => this.#settle?.(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    const progress = this.#tellProgress(records)
    const reading = run.run().catch((error: unknown) => this.#settle?.(error as Error))
    const failure = await ended
    progress.cancel()
    signal.removeEventListener('abort', abort)
    await run.close({ drainMs: settings.drainMs, leave: true })
    await reading
    if (failure !== undefined) throw failure
  }

  #settings(): ConsumerSettings {
    const { definition, topic } = this.#parts.plan
    const source: Record<string, unknown> = { ...definition.settings.source }
    // A static member stays in its group when it ends.
    delete source['groupInstanceId']
    return {
      ...definition.settings,
      ...{ source, groupId: this.#groupId, topics: [topic] },
      ...{ start: 'earliest', onOffsetLost: 'stop', copies: undefined },
    }
  }

  #bounded(source: RecordSource): RecordSource {
    const polled = () => this.#look()
    this.#source = new RangeSource({ source, ranges: this.#ranges, polled })
    return this.#source
  }

  /** Whether everything has ended. */
  #look(): void {
    if (this.#source?.isRead !== true) return
    const runs = new Map(this.#run?.partitions.map((each) => [partitionKey(each), each]))
    const isEnded = this.#ranges.every((range) => {
      if (range.from >= range.to) return true
      const run = runs.get(partitionKey(range))
      return run?.isAcquired === true && run.ledger.frontier >= range.to
    })
    if (isEnded) this.#settle?.(undefined)
  }

  #tellProgress(records: number): Timer {
    const { platform, log, plan } = this.#parts
    let timer: Timer
    const tell = () => {
      const { done, skipped, 'dead-lettered': deadLettered } = this.#ended
      const { topic } = plan
      log('info', `${topic} is being replayed`, { topic, done, skipped, deadLettered, records })
      timer = platform.clock.setTimer(progressMs, tell)
    }
    timer = platform.clock.setTimer(progressMs, tell)
    return { cancel: () => timer.cancel() }
  }
}

function stopped({ topic, partition }: TopicPartition, reason: string, cause: unknown) {
  const problem = `the replay of ${topic} has stopped at partition ${partition}: ${reason}`
  const details = cause instanceof Error ? `; ${cause.message}` : ''
  return new MillraceError('MILLRACE_RUNTIME_REPLAY_STOPPED', `${problem}${details}`, { cause })
}
