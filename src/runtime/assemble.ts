import type { TopicSelection } from '../client/index.ts'
import type { Driver, RecordSink, RecordSource, SourceOptions } from '../driver/index.ts'
import type { Log } from '../observe/index.ts'
import type { Clock, Platform } from '../platform/index.ts'
import { BlockWatch } from './block-watch.ts'
import { Commits } from './commit/commits.ts'
import type { CommitOptions } from './commit/commits.ts'
import type { CommitStrategy } from './commit/commit-strategy.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import { ConsumerRun } from './consumer-run.ts'
import type { OffsetLostRule } from './consumer-run.ts'
import { DeadLetters } from './dead-letter/dead-letters.ts'
import type { TooLarge } from './dead-letter/dead-letters.ts'
import type { Delivery } from './delivery.ts'
import { Failures } from './failure/failures.ts'
import type { RetryOptions } from './failure/failures.ts'
import type { FailureRule } from './failure/failure-policy.ts'
import { OutageGuard } from './failure/outage-guard.ts'
import type { Alone } from './lanes/alone.ts'
import { Turns } from './lanes/turns.ts'
import type { RecordOrder } from './lanes/record-order.ts'
import type { Way } from './outcome.ts'
import { Running } from './running.ts'
import type { StartPosition } from './start-position.ts'
import type { DedupeSettings } from './steps/dedupe.ts'

/** Everything that a consumer does, decided. */
export interface ConsumerSettings {
  readonly groupId: string
  readonly topics: TopicSelection
  readonly start: StartPosition
  readonly onOffsetLost: OffsetLostRule
  readonly order: RecordOrder
  readonly concurrency: number
  /** Undefined: an attempt may take as long as it likes. */
  readonly handlerTimeoutMs: number | undefined
  readonly retry: RetryOptions
  readonly errors: readonly FailureRule[]
  /** Undefined: what cannot be handled stops its partition. */
  readonly deadLetter: DeadLetterSettings | undefined
  readonly commit: CommitOptions
  /** Undefined: whatever is read is run. */
  readonly dedupe: DedupeSettings | undefined
  readonly window: number
  readonly waitingMax: number
  readonly waitingBytesMax: number
  readonly drainMs: number
  /** For the client's consumer: session, assignors, fetching. */
  readonly source: Omit<
    SourceOptions,
    'groupId' | 'offsetReset' | 'onAssigned' | 'onRevoked' | 'onLost'
  >
}

export interface DeadLetterSettings {
  readonly topicOf: (topic: string, isPoison: boolean) => string
  readonly maxRetryCount: number
  readonly tooLarge: TooLarge
}

export interface ConsumerAssembly {
  readonly driver: Driver
  readonly platform: Platform
  readonly log: Log
  readonly settings: ConsumerSettings
  /** Makes the way of its records, once it is known what they share. */
  readonly way: (parts: WayParts) => Way
  readonly sink: RecordSink
  /** Shared by all consumers of the process. */
  readonly alone: Alone
  /** Of this life of the process. */
  readonly processId: string
  readonly events: ConsumerEvents
  readonly eventId: (delivery: Delivery) => string | undefined
  readonly partitionCount: (topic: string) => number | undefined
}

/** What the end of a way may need of its consumer. */
export interface WayParts {
  readonly turns: Turns
  readonly order: RecordOrder
}

/** How long a member may be silent where nothing else is said. */
const sessionTimeoutMs = 45_000

/** Puts a consumer together. */
export function assembleConsumer(assembly: ConsumerAssembly): ConsumerRun {
  const { driver, platform, log, settings, events } = assembly
  const { clock, random } = platform
  return new ConsumerRun({
    clock,
    log,
    admin: driver.admin(),
    processId: assembly.processId,
    topics: settings.topics,
    start: settings.start,
    onOffsetLost: settings.onOffsetLost,
    window: settings.window,
    drainMs: settings.drainMs,
    rebalanced: (kind) => events.rebalanced(kind),
    source: (callbacks) =>
      driver.source({
        ...settings.source,
        ...callbacks,
        groupId: settings.groupId,
        offsetReset: 'none',
      }),
    world: (source, callbacks) => {
      const turns = new Turns(clock, settings.concurrency)
      assembly.alone.add(turns)
      const guard = guardOf(assembly, turns)
      const { retry, errors: rules } = settings
      const letters = deadLettersOf(assembly)
      return {
        ...callbacks,
        order: settings.order,
        way: assembly.way({ turns, order: settings.order }),
        clock,
        turns,
        alone: assembly.alone,
        guard,
        running: new Running({
          clock,
          timeoutMs: settings.handlerTimeoutMs,
          stuck: (delivery) => events.stuck(delivery),
        }),
        blockWatch: new BlockWatch({
          clock,
          log,
          longestMs: (settings.source.sessionTimeoutMs ?? sessionTimeoutMs) / 2,
        }),
        failures: new Failures({
          clock,
          random,
          rules,
          retry,
          guard,
          letters,
          failed: (delivery, error, action) => events.failed(delivery, error, action),
        }),
        commits: new Commits({
          clock,
          log,
          options: settings.commit,
          strategy: timedStrategy(source, clock, events),
        }),
        waitingMax: settings.waitingMax,
        waitingBytesMax: settings.waitingBytesMax,
        ended: (delivery, ending) => events.ended(delivery, ending),
        late: (delivery) => events.late(delivery),
      }
    },
  })
}

/** Nothing starts by itself while an outage lasts. */
function guardOf({ platform, log, events }: ConsumerAssembly, turns: Turns): OutageGuard {
  return new OutageGuard({
    clock: platform.clock,
    random: platform.random,
    changed: (isOpen) => {
      if (isOpen) turns.hold()
      else turns.letGo()
      events.outage(isOpen)
      tellOfOutage(log, isOpen)
    },
  })
}

/** Commits by the group's offsets, and tells how long each took. */
function timedStrategy(source: RecordSource, clock: Clock, events: ConsumerEvents): CommitStrategy {
  return {
    async commit(commits, call) {
      const beganMs = clock.elapsedMs()
      try {
        await source.commit(commits, call)
      } catch (error) {
        events.commitFailed(error)
        throw error
      }
      events.committed(clock.elapsedMs() - beganMs)
    },
  }
}

function deadLettersOf(assembly: ConsumerAssembly): DeadLetters | undefined {
  const { platform, log, sink, settings, events, eventId, partitionCount } = assembly
  if (settings.deadLetter === undefined) return undefined
  return new DeadLetters({
    ...settings.deadLetter,
    clock: platform.clock,
    random: platform.random,
    log,
    sink,
    groupId: settings.groupId,
    partitionCount,
    eventId,
    written: (delivery, error, isPoison) => events.letterWritten(delivery, error, isPoison),
    failed: (delivery) => events.letterFailed(delivery),
  })
}

function tellOfOutage(log: Log, isOpen: boolean): void {
  if (isOpen) {
    const what =
      'handlers fail for many records: an outage is assumed, and single records are tried'
    log('warn', what)
  } else {
    log('info', 'a handler has succeeded: the outage is over')
  }
}
