import { createNativeDriver } from '../../../src/driver/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { assembleConsumer } from '../../../src/runtime/assemble.ts'
import type { ConsumerSettings, WayParts } from '../../../src/runtime/assemble.ts'
import { Batcher } from '../../../src/runtime/batch/batcher.ts'
import type { Delivery } from '../../../src/runtime/delivery.ts'
import { Alone } from '../../../src/runtime/lanes/alone.ts'
import { orderKeyOf } from '../../../src/runtime/lanes/record-order.ts'
import type { Way } from '../../../src/runtime/outcome.ts'
import { makeExactlyOnce } from '../../../src/transaction/index.ts'
import { watchPlatform } from '../clients/watched-platform.ts'
import { silentEvents } from '../runtime/worker.ts'
import { attempts } from './shape.ts'
import type { ChainShape } from './shape.ts'

export interface ChainWorkerOptions {
  readonly platform: Platform
  readonly shape: ChainShape
  /** A name of its own for each life of the process. */
  readonly life: string
  readonly brokers: string
  /** Whether faults may still happen. */
  readonly isQuiet: () => boolean
  /** Whether the process is told to end. */
  readonly isToldToEnd: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

export const topicOf = (stage: number) => `stage-${stage}`
const lookEveryMs = 25
const drainMs = 600

/** A process that runs all stages until it is told to end; then it closes them in order, and holds nothing. */
export async function runChainWorker(options: ChainWorkerOptions): Promise<void> {
  const { platform, life, brokers, tell, isToldToEnd, shape } = options
  const watched = watchPlatform(platform)
  const log: Log = (level, message, fields) => {
    tell(life, () => `${level}: ${message} ${JSON.stringify(fields ?? {})}`)
  }
  const driver = createNativeDriver({
    ...{ brokers, platform: watched.platform, clientId: life, log },
    ...{ allowPlaintext: true, requestTimeoutMs: 800, connectTimeoutMs: 800 },
  })
  const sink = driver.sink({ deliveryTimeoutMs: 1_500 })
  const failures: Error[] = []
  const alone = new Alone()
  const runs = Array.from({ length: shape.stages }, (_, stage) =>
    assembleConsumer({
      ...{ driver, platform: watched.platform, log, sink, processId: life, alone },
      settings: settingsOf(options, stage),
      way: (parts) => wayOf(options, stage, parts, log),
      makeExactlyOnce,
      failed: (error) => failures.push(error),
      events: silentEvents,
      eventId: () => undefined,
      partitionCount: () => undefined,
    }),
  )
  const reading = runs.map((run) =>
    run.run().catch((error: unknown) => failures.push(error as Error)),
  )
  while (!isToldToEnd() && failures.length === 0) await platform.clock.sleep(lookEveryMs)
  tell(life, () => 'closes')
  await Promise.all(runs.map((run) => run.close({ drainMs, leave: true })))
  await Promise.all(reading)
  for (const failure of failures) throw failure
  await sink.close({ timeoutMs: 500 })
  await driver.close()
  tell(life, () => 'has closed')
  const held = watched.held()
  if (held.length > 0) {
    throw new Error(`${life} has closed everything, and still holds ${held.join(', ')}`)
  }
}

function settingsOf({ shape }: ChainWorkerOptions, stage: number): ConsumerSettings {
  const { concurrency, protocol, commitIntervalMs, stagedBytesMax } = shape
  return {
    ...{
      groupId: `group-${stage}`,
      topics: [topicOf(stage)],
      start: 'earliest',
      errors: [],
      outageMsMax: Infinity,
    },
    ...{ order: 'key', concurrency, handlerTimeoutMs: undefined, window: 1_000, waitingMax: 200 },
    retry: { attempts, withinMs: 600_000, delayMs: 5, delayMsMax: 60 },
    copies: undefined,
    deadLetter: {
      topicOf: (source, isPoison) => (isPoison ? 'poison' : `${source}.dlq`),
      ...{ maxRetryCount: 5, tooLarge: 'stop' },
    },
    exactlyOnce: { transactionalId: undefined, transactionTimeoutMs: 2_000, stagedBytesMax },
    commit: { intervalMs: commitIntervalMs, countMax: 50 },
    ...{ waitingBytesMax: 1_000_000, dedupe: undefined, onOffsetLost: 'stop', drainMs },
    source: {
      ...{ groupProtocol: protocol, rebalanceTimeoutMs: 2_000, fetchWaitMsMax: 300 },
      ...{ sessionTimeoutMs: 1_500, heartbeatIntervalMs: 150 },
    },
  }
}

/** What is written in the place of a record: its value goes on from stage to stage. */
function wayOf(options: ChainWorkerOptions, stage: number, parts: WayParts, log: Log): Way {
  const { shape, platform, life, tell } = options
  const send = (delivery: Delivery, run: object) => {
    const { key, value } = delivery.record
    tell(life, () => `sends '${String(value)}' of ${String(delivery)}`)
    delivery.stage({ topic: topicOf(stage + 1), key, value }, run)
  }
  const { batch } = shape
  if (batch === undefined) {
    return (delivery) => {
      const { run } = delivery
      const work = () => {
        send(delivery, run)
        throwIfItFails(options, delivery)
        return undefined
      }
      if (platform.random.integer(3) === 0) {
        work()
        return
      }
      return platform.clock
        .sleep(platform.random.integer(shape.longestMs), delivery.signal)
        .then(work)
    }
  }
  const batcher = new Batcher({
    ...{
      clock: platform.clock,
      log,
      turns: parts.turns,
      guard: parts.guard,
      recordsMax: batch,
      windowMs: 20,
    },
    orderKeyOf: (delivery) => orderKeyOf('key', delivery),
    run: async ({ deliveries, signal }) => {
      const runs = deliveries.map(({ run }) => run)
      await platform.clock.sleep(platform.random.integer(shape.longestMs), signal)
      deliveries.forEach((delivery, index) => send(delivery, runs[index] as object))
      for (const delivery of deliveries) throwIfItFails(options, delivery)
    },
  })
  return batcher.way
}

/** Bad luck ends with the faults. */
function throwIfItFails({ platform, shape }: ChainWorkerOptions, { record }: Delivery): void {
  const isUnlucky = shape.failsOneIn > 0 && platform.random.integer(shape.failsOneIn) === 0
  if (isUnlucky || isBad(record.value)) throw new Error('it did not work')
}

/** Whether no handler will ever take it. */
export function isBad(value: Uint8Array | string | null): boolean {
  return String(value).endsWith(' bad')
}
