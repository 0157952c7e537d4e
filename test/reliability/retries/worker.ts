import { createNativeDriver } from '../../../src/driver/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { assembleConsumer } from '../../../src/runtime/assemble.ts'
import type { ConsumerSettings } from '../../../src/runtime/assemble.ts'
import type { Delivery } from '../../../src/runtime/delivery.ts'
import { FailureDecision } from '../../../src/runtime/index.ts'
import { Alone } from '../../../src/runtime/lanes/alone.ts'
import { watchPlatform } from '../clients/watched-platform.ts'
import { silentEvents } from '../runtime/worker.ts'
import { kindOf } from './judge.ts'
import type { RetryJudge } from './judge.ts'
import { group, places, retryTopics, topic } from './shape.ts'
import type { RetryShape } from './shape.ts'

export interface RetryWorkerOptions {
  readonly platform: Platform
  readonly shape: RetryShape
  readonly life: string
  readonly brokers: string
  readonly judge: RetryJudge
  readonly nowMs: () => number
  readonly isToldToEnd: () => boolean
  readonly tell: (who: string, what: () => string) => void
}

const lookEveryMs = 25
const drainMs = 600
const longestMs = 30

/** A process that reads a topic and its retry topics until it is told to end; then it closes in order, and holds nothing. */
export async function runRetryWorker(options: RetryWorkerOptions): Promise<void> {
  const { platform, life, brokers, tell, isToldToEnd } = options
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
  const run = assembleConsumer({
    ...{ driver, platform: watched.platform, log, sink, processId: life, alone: new Alone() },
    settings: settingsOf(options.shape),
    way: () => (delivery) => handle(options, delivery),
    events: silentEvents,
    eventId: () => undefined,
    partitionCount: () => undefined,
  })
  const reading = run.run().catch((error: unknown) => failures.push(error as Error))
  while (!isToldToEnd() && failures.length === 0) await platform.clock.sleep(lookEveryMs)
  tell(life, () => 'closes')
  await run.close({ drainMs, leave: true })
  await reading
  for (const failure of failures) throw failure
  await sink.close({ timeoutMs: 500 })
  await driver.close()
  tell(life, () => 'has closed')
  const held = watched.held()
  if (held.length > 0) {
    throw new Error(`${life} has closed everything, and still holds ${held.join(', ')}`)
  }
}

async function handle(
  { platform, judge, nowMs, tell, life }: RetryWorkerOptions,
  delivery: Delivery,
): Promise<undefined> {
  const value = String(delivery.record.value)
  const kind = kindOf(value)
  const run = judge.begins(value, delivery.topic, nowMs())
  tell(life, () => `runs '${value}' of ${String(delivery)}, attempt ${delivery.attempt}`)
  try {
    await platform.clock.sleep(platform.random.integer(longestMs), delivery.signal)
  } catch (error) {
    judge.ends(run, 'aborted', nowMs())
    throw error
  }
  const isLast = delivery.topic === places.at(-1)?.name
  if (kind === 'plain' || (kind === 'mends' && isLast)) {
    judge.ends(run, 'done', nowMs())
    return undefined
  }
  judge.ends(run, 'failed', nowMs())
  if (kind === 'refused') throw new FailureDecision('deadLetter', 'it will never work')
  throw new Error('it did not work')
}

function settingsOf(shape: RetryShape): ConsumerSettings {
  const { concurrency, protocol, attempts, commitIntervalMs } = shape
  return {
    ...{ groupId: group, topics: [topic], start: 'earliest', errors: [], outageMsMax: Infinity },
    ...{ order: 'none', concurrency, handlerTimeoutMs: undefined, window: 1_000, waitingMax: 200 },
    retry: { attempts, withinMs: 600_000, delayMs: 5, delayMsMax: 60 },
    copies: { kind: 'topics', topics: retryTopics },
    deadLetter: {
      topicOf: (source, isPoison) => `${source}.${isPoison ? 'dlq-poison' : 'dlq'}`,
      ...{ maxRetryCount: 5, tooLarge: 'stop' },
    },
    exactlyOnce: undefined,
    commit: { intervalMs: commitIntervalMs, countMax: 50 },
    ...{ waitingBytesMax: 1_000_000, dedupe: undefined, onOffsetLost: 'stop', drainMs },
    source: {
      ...{ groupProtocol: protocol, rebalanceTimeoutMs: 2_000, fetchWaitMsMax: 300 },
      ...{ sessionTimeoutMs: 1_500, heartbeatIntervalMs: 150 },
    },
  }
}
