import type { TopicSelection } from '../client/index.ts'
import type { Driver, RecordSink, SourceOptions } from '../driver/index.ts'
import type { Log } from '../observe/index.ts'
import type { Platform } from '../platform/index.ts'
import { Commits } from './commit/commits.ts'
import type { CommitOptions } from './commit/commits.ts'
import { ConsumerRun } from './consumer-run.ts'
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
import type { Ending, Way } from './outcome.ts'
import { Running } from './running.ts'
import type { StartPosition } from './start-position.ts'

/** Everything that a consumer does, decided. */
export interface ConsumerSettings {
  readonly groupId: string
  readonly topics: TopicSelection
  readonly start: StartPosition
  readonly order: RecordOrder
  readonly concurrency: number
  /** Undefined: an attempt may take as long as it likes. */
  readonly handlerTimeoutMs: number | undefined
  readonly retry: RetryOptions
  readonly errors: readonly FailureRule[]
  /** Undefined: what cannot be handled stops its partition. */
  readonly deadLetter: DeadLetterSettings | undefined
  readonly commit: CommitOptions
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

/** Whom a consumer tells what happens in it. */
export interface ConsumerEvents {
  readonly ended: (delivery: Delivery, ending: Ending) => void
  readonly late: (delivery: Delivery) => void
  readonly stuck: (delivery: Delivery) => void
  readonly letter: (delivery: Delivery, isPoison: boolean) => void
}

export interface ConsumerAssembly {
  readonly driver: Driver
  readonly platform: Platform
  readonly log: Log
  readonly settings: ConsumerSettings
  readonly way: Way
  readonly sink: RecordSink
  /** Shared by all consumers of the process. */
  readonly alone: Alone
  /** Of this life of the process. */
  readonly processId: string
  readonly events: ConsumerEvents
  readonly eventId: (delivery: Delivery) => string | undefined
  readonly partitionCount: (topic: string) => number | undefined
}

/** Puts a consumer together. */
export function assembleConsumer(assembly: ConsumerAssembly): ConsumerRun {
  const { driver, platform, log, settings, way, events } = assembly
  const { clock, random } = platform
  return new ConsumerRun({
    clock,
    log,
    admin: driver.admin(),
    processId: assembly.processId,
    topics: settings.topics,
    start: settings.start,
    window: settings.window,
    drainMs: settings.drainMs,
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
      const guard = new OutageGuard({
        clock,
        random,
        changed: (isOpen) => {
          if (isOpen) turns.hold()
          else turns.letGo()
          tellOfOutage(log, isOpen)
        },
      })
      const { retry, errors: rules } = settings
      const letters = deadLettersOf(assembly)
      return {
        ...callbacks,
        order: settings.order,
        way,
        clock,
        turns,
        alone: assembly.alone,
        guard,
        running: new Running({ clock, timeoutMs: settings.handlerTimeoutMs, stuck: events.stuck }),
        failures: new Failures({ clock, random, rules, retry, guard, letters }),
        commits: new Commits({
          clock,
          log,
          options: settings.commit,
          strategy: { commit: (commits, call) => source.commit(commits, call) },
        }),
        waitingMax: settings.waitingMax,
        waitingBytesMax: settings.waitingBytesMax,
        ended: events.ended,
        late: events.late,
      }
    },
  })
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
    written: events.letter,
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
