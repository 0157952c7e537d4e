import { createNativeDriver } from '../../../src/driver/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import { assembleConsumer } from '../../../src/runtime/assemble.ts'
import type { ConsumerSettings, WayParts } from '../../../src/runtime/assemble.ts'
import type { ConsumerEvents } from '../../../src/runtime/consumer-events.ts'
import { Alone } from '../../../src/runtime/lanes/alone.ts'
import type { Way } from '../../../src/runtime/outcome.ts'
import { watchPlatform } from '../clients/watched-platform.ts'
import { batchWay } from './batches.ts'
import { handle } from './handling.ts'
import type { HandlingOptions } from './handling.ts'
import { observeDriver } from './observed-driver.ts'
import { drainMs } from './shape.ts'

export interface WorkerOptions extends Omit<HandlingOptions, 'log'> {
  readonly brokers: string
  readonly topic: string
  /** Whether the process is told to end. */
  readonly isToldToEnd: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

export const group = 'workers'
const lookEveryMs = 25
const ignore = () => undefined
/** The witness sees for itself. */
export const silentEvents: ConsumerEvents = {
  ...{ ended: ignore, failed: ignore, late: ignore, stuck: ignore, letterWritten: ignore },
  ...{ letterFailed: ignore, committed: ignore, commitFailed: ignore, rebalanced: ignore },
  ...{ outage: ignore, copyWritten: ignore, copySkipped: ignore, ownerDied: ignore },
}

/** A process that runs one consumer until it is told to end; then it closes it in order, and holds nothing. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { platform, life, brokers, tell, witness, isToldToEnd } = options
  const watched = watchPlatform(platform)
  const log: Log = (level, message, fields) => {
    tell(life, () => `${level}: ${message} ${JSON.stringify(fields ?? {})}`)
  }
  const native = createNativeDriver({
    ...{ brokers, platform: watched.platform, clientId: life, log },
    ...{ allowPlaintext: true, requestTimeoutMs: 800, connectTimeoutMs: 800 },
  })
  const driver = observeDriver(native, witness.observerOf(life))
  const sink = driver.sink({ deliveryTimeoutMs: 1_500 })
  const run = assembleConsumer({
    ...{ driver, platform: watched.platform, log, sink, processId: life, alone: new Alone() },
    settings: settingsOf(options),
    way: (parts) => wayOf({ ...options, log }, parts),
    events: silentEvents,
    eventId: () => undefined,
    partitionCount: () => undefined,
  })
  const failures: Error[] = []
  const reading = run.run().catch((error: unknown) => failures.push(error as Error))
  while (!isToldToEnd() && failures.length === 0) await platform.clock.sleep(lookEveryMs)
  tell(life, () => 'closes')
  const isClean = await run.close({ drainMs, leave: true })
  await reading
  for (const failure of failures) throw failure
  await sink.close({ timeoutMs: 500 })
  await driver.close()
  tell(life, () => `has closed, ${isClean ? 'clean' : 'with handlers that still run'}`)
  const held = watched.held()
  if (held.length > 0) {
    throw new Error(`${life} has closed everything, and still holds ${held.join(', ')}`)
  }
}

function wayOf(handling: HandlingOptions, parts: WayParts): Way {
  const { batch } = handling.shape
  return batch === undefined
    ? (delivery) => handle(handling, delivery)
    : batchWay(handling, batch, parts)
}

function settingsOf({ shape, topic }: WorkerOptions): ConsumerSettings {
  const isOutage = shape.weather === 'outage'
  const { order, concurrency, handlerTimeoutMs, window, waitingMax, protocol } = shape
  return {
    ...{ groupId: group, topics: [topic], start: 'earliest', errors: [], outageMsMax: Infinity },
    ...{ order, concurrency, handlerTimeoutMs, window, waitingMax, drainMs },
    retry: {
      ...{ attempts: shape.attempts, withinMs: 600_000 },
      ...(isOutage ? { delayMs: 100, delayMsMax: 10_000 } : { delayMs: 5, delayMsMax: 60 }),
    },
    deadLetter: {
      topicOf: (source, isPoison) => `${source}.${isPoison ? 'dlq-poison' : 'dlq'}`,
      ...{ maxRetryCount: 5, tooLarge: 'stop' },
    },
    commit: { intervalMs: shape.commitIntervalMs, countMax: 50 },
    waitingBytesMax: 1_000_000,
    dedupe: undefined,
    exactlyOnce: undefined,
    onOffsetLost: 'stop',
    source: {
      ...{ groupProtocol: protocol, rebalanceTimeoutMs: 2_000, fetchWaitMsMax: 300 },
      ...{ sessionTimeoutMs: 1_500, heartbeatIntervalMs: 150 },
      partitionFetchBytesMax: 600,
    },
  }
}
