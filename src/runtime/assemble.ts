import type { Compression, TopicSelection } from '../client/index.ts'
import type { Driver, RecordSink, RecordSource, SourceOptions } from '../driver/index.ts'
import type { Log } from '../observe/index.ts'
import type { Clock, Platform } from '../platform/index.ts'
import { BlockWatch } from './block-watch.ts'
import { Commits } from './commit/commits.ts'
import type { CommitOptions } from './commit/commits.ts'
import type { CommitStrategy } from './commit/commit-strategy.ts'
import { noExactlyOnce } from './commit/exactly-once.ts'
import type {
  ExactlyOnce,
  ExactlyOnceSettings,
  MakeExactlyOnce,
  Staging,
} from './commit/exactly-once.ts'
import type { StagedBytes } from './commit/partition-outputs.ts'
import { StagedLimit } from './commit/staged-limit.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import { ConsumerRun } from './consumer-run.ts'
import type { ConsumerRunParts, OffsetLostRule } from './consumer-run.ts'
import { DeadLetters } from './dead-letter/dead-letters.ts'
import { HeldWrites } from './dead-letter/held-writes.ts'
import type { PartitionCount } from './dead-letter/held-writes.ts'
import { ReadCodecs } from './dead-letter/read-codecs.ts'
import type { TooLarge } from './dead-letter/dead-letters.ts'
import type { Delivery } from './delivery.ts'
import { Failures } from './failure/failures.ts'
import type { LetterBox, RetryOptions } from './failure/failures.ts'
import type { FailureRule } from './failure/failure-policy.ts'
import { OutageGuard } from './failure/outage-guard.ts'
import type { Alone } from './lanes/alone.ts'
import { Turns } from './lanes/turns.ts'
import type { RecordOrder } from './lanes/record-order.ts'
import { LatestTime } from './latest-time.ts'
import { wayThrough } from './outcome.ts'
import type { Way } from './outcome.ts'
import { NotBeforeSource } from './retry/not-before-source.ts'
import { RetryCopies } from './retry/retry-copies.ts'
import { CopyReader } from './retry/retry-copy.ts'
import type { RetryCopySettings } from './retry/retry-settings.ts'
import type { RetryTopics } from './retry/retry-topics.ts'
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
  /** Undefined: failed records are tried again in place alone. */
  readonly copies?: RetryCopySettings | undefined
  readonly errors: readonly FailureRule[]
  /** For how long an outage spares records. */
  readonly outageMsMax: number
  /** Undefined: what cannot be handled stops its partition. */
  readonly deadLetter: DeadLetterSettings | undefined
  readonly commit: CommitOptions
  /** Undefined: what handlers send is acknowledged by itself, before the record is done. */
  readonly exactlyOnce: ExactlyOnceSettings | undefined
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
  /** What those who measure its records keep up to date; the consumer's own where this is not given. */
  readonly time?: LatestTime
  readonly settings: ConsumerSettings
  /** Makes the way of its records, once it is known what they share. */
  readonly way: (parts: WayParts) => Way
  readonly sink: RecordSink
  /** Writes what takes the place of a record, compressed as that was; `sink` does where this is not given. */
  readonly sinkOf?: (compression: Compression) => RecordSink
  /** Shared by all consumers of the process. */
  readonly alone: Alone
  /** Makes what writes and commits in one; needed where the settings ask for it. */
  readonly makeExactlyOnce?: MakeExactlyOnce
  /** Nothing can be committed any more: the service ends. */
  readonly failed?: (error: Error) => void
  /** Of this life of the process. */
  readonly processId: string
  readonly events: ConsumerEvents
  readonly eventId: (delivery: Delivery) => string | undefined
  readonly partitionCount: PartitionCount
  /** Undefined for a consumer that reads on as long as it runs. */
  readonly replay?: ReplayAssembly
}

/** What is different where a consumer reads again what was read before. */
export interface ReplayAssembly {
  /** The group whose records are read again: it is named in letters, and copies that it made are its own. */
  readonly groupId: string
  /** Bounds what is read. */
  readonly bounded: (source: RecordSource) => RecordSource
  /** A partition has come to a stand. */
  readonly stopped: ConsumerRunParts['stopped']
}

/** What the end of a way may need of its consumer. */
export interface WayParts {
  readonly turns: Turns
  readonly order: RecordOrder
  readonly guard: OutageGuard
  /** Under exactly-once: where what handlers send goes. */
  readonly staging: Staging | undefined
}

/** Kafka's own limit for transactions, where nothing else is said. */
const openTransactionMsMax = 60_000
/** How long a member may be silent where nothing else is said. */
const sessionTimeoutMs = 45_000

/** Puts a consumer together. */
export function assembleConsumer(assembly: ConsumerAssembly): ConsumerRun {
  const { driver, platform, log, settings, events } = assembly
  const { clock } = platform
  const { copies } = settings
  const retryTopics = copies?.kind === 'topics' ? copies.topics : undefined
  const codecs = new ReadCodecs()
  const reader = new CopyReader({
    groupId: assembly.replay?.groupId ?? settings.groupId,
    topics: retryTopics,
    skipped: (delivery) => events.copySkipped(delivery),
  })
  return new ConsumerRun({
    ...{ clock, log },
    admin: driver.admin(),
    openTransactionMsMax: settings.exactlyOnce?.transactionTimeoutMs ?? openTransactionMsMax,
    processId: assembly.processId,
    topics: withRetryTopics(settings.topics, retryTopics),
    // What failed before the group began to read its copies is not to be passed over.
    start: (topic) => (retryTopics?.get(topic) === undefined ? settings.start : 'earliest'),
    onOffsetLost: settings.onOffsetLost,
    ...{ window: settings.window, drainMs: settings.drainMs },
    rebalanced: (kind) => events.rebalanced(kind),
    read: (batch) => codecs.note(batch),
    ownerDied: (partition) => events.ownerDied(partition),
    stopped: (partition, reason, error) => assembly.replay?.stopped(partition, reason, error),
    source: (callbacks) => sourceOf(assembly, retryTopics, callbacks),
    world: (source, callbacks) => {
      const { time = new LatestTime(clock) } = assembly
      const turns = new Turns(clock, time, settings.concurrency)
      assembly.alone.add(turns)
      const guard = guardOf(assembly, turns)
      const exactlyOnce = exactlyOnceOf(assembly, source)
      const writes = heldWritesOf(assembly, codecs, exactlyOnce)
      const commits = new Commits({
        ...{ clock, log },
        options: settings.commit,
        strategy: timed(exactlyOnce?.strategy ?? groupOffsets(source), clock, events),
      })
      return {
        ...callbacks,
        order: settings.order,
        way: wayThrough(
          [reader.step],
          assembly.way({ turns, guard, order: settings.order, staging: exactlyOnce }),
        ),
        clock,
        time,
        turns,
        alone: assembly.alone,
        guard,
        running: new Running({
          ...{ clock, time },
          timeoutMs: settings.handlerTimeoutMs,
          stuck: (delivery) => events.stuck(delivery),
        }),
        blockWatch: new BlockWatch({
          clock,
          log,
          longestMs: (settings.source.sessionTimeoutMs ?? sessionTimeoutMs) / 2,
        }),
        failures: failuresOf(assembly, guard, writes, reader),
        commits,
        staged: stagedOf(settings, turns, commits),
        waitingMax: settings.waitingMax,
        waitingBytesMax: settings.waitingBytesMax,
        ended: (delivery, ending) => events.ended(delivery, ending),
        late: (delivery) => events.late(delivery),
      }
    },
  })
}

type SourceCallbacks = Parameters<ConsumerRunParts['source']>[0]

/** Nothing starts by itself while an outage lasts. */
function guardOf({ platform, log, events, settings }: ConsumerAssembly, turns: Turns): OutageGuard {
  return new OutageGuard({
    clock: platform.clock,
    random: platform.random,
    maxMs: settings.outageMsMax,
    changed: (isOpen) => {
      if (isOpen) turns.hold()
      else turns.letGo()
      events.outage(isOpen)
      tellOfOutage(log, isOpen)
    },
  })
}

/** Commits by the group's offsets alone. */
function groupOffsets(source: RecordSource): CommitStrategy {
  return { commit: (commits, call) => source.commit(commits, call) }
}

function exactlyOnceOf(assembly: ConsumerAssembly, source: RecordSource): ExactlyOnce | undefined {
  const { driver, platform, log, settings, makeExactlyOnce, processId, failed } = assembly
  const { groupId, exactlyOnce } = settings
  if (exactlyOnce === undefined) return undefined
  if (makeExactlyOnce === undefined) throw noExactlyOnce('exactlyOnce')
  const { transactionTimeoutMs, transactionalId = `${groupId}-${processId}` } = exactlyOnce
  return makeExactlyOnce({
    ...{ driver, platform, log, source, groupId, transactionalId, transactionTimeoutMs },
    failed: (error) => failed?.(error),
  })
}

function stagedOf(
  { exactlyOnce, commit }: ConsumerSettings,
  turns: Turns,
  commits: Commits,
): StagedBytes | undefined {
  if (exactlyOnce === undefined) return undefined
  const commitNow = () => commits.changed(commit.countMax)
  return new StagedLimit(exactlyOnce.stagedBytesMax, turns, commitNow)
}

/** Tells how long each commit took. */
function timed(strategy: CommitStrategy, clock: Clock, events: ConsumerEvents): CommitStrategy {
  return {
    close: async (options) => strategy.close?.(options),
    settled: async () => strategy.settled?.(),
    async commit(commits, call) {
      const beganMs = clock.elapsedMs()
      try {
        await strategy.commit(commits, call)
      } catch (error) {
        events.commitFailed(error)
        throw error
      }
      events.committed(clock.elapsedMs() - beganMs, commits)
    },
  }
}

function failuresOf(
  assembly: ConsumerAssembly,
  guard: OutageGuard,
  writes: HeldWrites,
  reader: CopyReader,
): Failures {
  const { platform, settings, events } = assembly
  const { clock, random } = platform
  const { retry, errors: rules } = settings
  return new Failures({
    ...{ clock, random, rules, retry, guard },
    letters: deadLettersOf(assembly, writes, reader),
    copies: retryCopiesOf(assembly, writes),
    failed: (delivery, error, action) => events.failed(delivery, error, action),
  })
}

/** A sole topic by its name, or several, with the retry topics that belong to them. */
function withRetryTopics(
  topics: TopicSelection,
  retryTopics: RetryTopics | undefined,
): TopicSelection {
  if (retryTopics === undefined) return topics
  const named = typeof topics === 'string' ? [topics] : (topics as readonly string[])
  return [...named, ...retryTopics.all.map(({ name }) => name)]
}

function sourceOf(
  { driver, platform, settings, replay }: ConsumerAssembly,
  topics: RetryTopics | undefined,
  callbacks: SourceCallbacks,
): RecordSource {
  const { groupId } = settings
  const source = (told: SourceCallbacks) =>
    driver.source({ ...settings.source, ...told, groupId, offsetReset: 'none' })
  if (replay !== undefined) return replay.bounded(source(callbacks))
  if (topics === undefined) return source(callbacks)
  return new NotBeforeSource({ clock: platform.clock, topics, callbacks, source })
}

function heldWritesOf(
  assembly: ConsumerAssembly,
  codecs: ReadCodecs,
  staging: Staging | undefined,
): HeldWrites {
  const { platform, log, sink, sinkOf } = assembly
  const { clock, random } = platform
  return new HeldWrites({
    ...{ clock, random, log },
    send: async (delivery, record, signal) => {
      if (staging === undefined) {
        const written = sinkOf?.(codecs.at(delivery, delivery.offset)) ?? sink
        await written.send(record, { signal })
        return
      }
      await staging.check(record)
      delivery.replaceOutputs([record])
    },
  })
}

function deadLettersOf(
  assembly: ConsumerAssembly,
  writes: HeldWrites,
  reader: CopyReader,
): LetterBox | undefined {
  const { platform, settings, events, eventId, partitionCount, replay } = assembly
  if (settings.deadLetter === undefined) return undefined
  const letters = new DeadLetters({
    ...settings.deadLetter,
    ...{ clock: platform.clock, writes, partitionCount, eventId },
    groupId: replay?.groupId ?? settings.groupId,
    replayGroup: replay === undefined ? undefined : settings.groupId,
    written: (delivery, error, isPoison) => events.letterWritten(delivery, error, isPoison),
    failed: (delivery) => events.letterFailed(delivery),
  })
  return {
    write: (delivery, error, partition) => {
      // One that nobody may run any more has not come by the reader.
      if (delivery.copy === undefined) reader.note(delivery)
      return letters.write(delivery, error, partition)
    },
  }
}

function retryCopiesOf(assembly: ConsumerAssembly, writes: HeldWrites): RetryCopies | undefined {
  const { platform, settings, events, partitionCount } = assembly
  const { groupId, copies } = settings
  if (copies === undefined) return undefined
  return new RetryCopies({
    ...{ clock: platform.clock, writes, groupId, settings: copies, partitionCount },
    written: (delivery, kind) => events.copyWritten(delivery, kind),
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
