import { DecodeError } from '../../../src/contract/contract-error.ts'
import { createNativeDriver } from '../../../src/driver/index.ts'
import type { Log } from '../../../src/observe/index.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { assembleConsumer } from '../../../src/runtime/assemble.ts'
import type { ConsumerSettings } from '../../../src/runtime/assemble.ts'
import type { ConsumerEvents } from '../../../src/runtime/consumer-events.ts'
import type { Delivery } from '../../../src/runtime/delivery.ts'
import { FailureDecision } from '../../../src/runtime/failure/failure-policy.ts'
import { Alone } from '../../../src/runtime/lanes/alone.ts'
import type { Outcome } from '../../../src/runtime/outcome.ts'
import { watchPlatform } from '../clients/watched-platform.ts'
import { observeDriver } from './observed-driver.ts'
import { kindIn } from './records.ts'
import { drainMs } from './shape.ts'
import type { RuntimeShape } from './shape.ts'
import type { Run, Witness } from './witness.ts'

export interface WorkerOptions {
  readonly platform: Platform
  readonly shape: RuntimeShape
  readonly witness: Witness
  /** A name of its own for each life of the process. */
  readonly life: string
  readonly brokers: string
  readonly topic: string
  readonly isOutage: () => boolean
  /** Whether faults may still happen. */
  readonly isQuiet: () => boolean
  /** Whether the process is told to end. */
  readonly isToldToEnd: () => boolean
  readonly die: () => void
  readonly tell: (who: string, what: () => string) => void
}

export const group = 'workers'
const lookEveryMs = 25
const ignore = () => undefined
/** The witness sees for itself. */
const silentEvents: ConsumerEvents = {
  ...{ ended: ignore, failed: ignore, late: ignore, stuck: ignore, letterWritten: ignore },
  ...{ letterFailed: ignore, committed: ignore, commitFailed: ignore, rebalanced: ignore },
  outage: ignore,
}
const honestMs = 1_000

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
    way: (delivery) => handle(options, delivery),
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

function settingsOf({ shape, topic }: WorkerOptions): ConsumerSettings {
  const isOutage = shape.weather === 'outage'
  const { order, concurrency, handlerTimeoutMs, window, waitingMax, protocol } = shape
  return {
    ...{ groupId: group, topics: [topic], start: 'earliest', errors: [] },
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
    onOffsetLost: 'stop',
    source: {
      ...{ groupProtocol: protocol, rebalanceTimeoutMs: 2_000, fetchWaitMsMax: 300 },
      ...{ sessionTimeoutMs: 1_500, heartbeatIntervalMs: 150 },
      partitionFetchBytesMax: 600,
    },
  }
}

function handle(options: WorkerOptions, delivery: Delivery): Outcome | Promise<Outcome> {
  const { platform, shape, witness, life, isOutage, isQuiet } = options
  const { clock, random } = platform
  // Of a process that is no more nothing is seen.
  clock.now()
  const { record, partition, offset, attempt } = delivery
  const key = record.key?.toString('latin1')
  const kind = kindIn(record)
  const isSlow = !isQuiet() && shape.slowOneIn > 0 && random.integer(shape.slowOneIn) === 0
  const seen = { partition, offset, key, kind, attempt }
  const run = witness.started(life, seen, isSlow && shape.isStubborn)
  if (kind === 'killer') {
    options.die()
    return new Promise(() => undefined)
  }
  const fails = isOutage() || (shape.failsOneIn > 0 && random.integer(shape.failsOneIn) === 0)
  const end = () => finish(witness, run, fails)
  // Bad luck and outages end with the faults; what is slow answers late.
  const takesMs = isSlow
    ? honestMs + random.integer(shape.isStubborn ? 4_000 : 500)
    : random.integer(shape.longestMs)
  if (!isSlow && random.integer(3) === 0) return end()
  const sleeps = run.isStubborn
    ? clock.sleep(takesMs)
    : clock.sleep(takesMs, delivery.signal).catch((error: unknown) => {
        witness.ended(run, 'aborted')
        throw error
      })
  return sleeps.then(end)
}

/** What a handler answers of a record, which tells the witness first. */
function finish(witness: Witness, run: Run, fails: boolean): Outcome {
  const fail = (error: Error): never => {
    witness.ended(run, 'failed')
    throw error
  }
  if (run.kind === 'malformed') {
    fail(new DecodeError('invalid-json', 'cannot be read'))
  }
  if (fails || run.kind === 'bad') fail(new Error('it did not work'))
  if (run.kind === 'refused') fail(new FailureDecision('deadLetter', 'it will never work'))
  witness.ended(run, run.kind === 'skipped' ? 'skipped' : 'done')
  return run.kind === 'skipped' ? { skipped: 'rule' } : undefined
}
