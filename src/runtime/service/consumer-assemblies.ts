import type { Driver } from '../../driver/index.ts'
import type { Log, RuntimeMetrics, Tracer } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import { memoryDedupeStore } from '../../store/index.ts'
import type { DedupeStore } from '../../store/index.ts'
import type { ConsumerAssembly, ConsumerSettings } from '../assemble.ts'
import type { ConsumerEvents } from '../consumer-events.ts'
import { logFailures } from '../consumer-log.ts'
import { countEvents } from '../consumer-metrics.ts'
import { CodecSinks } from '../dead-letter/codec-sinks.ts'
import type { MakeExactlyOnce, Staging } from '../commit/exactly-once.ts'
import type { Delivery } from '../delivery.ts'
import type { Alone } from '../lanes/alone.ts'
import { LatestTime } from '../latest-time.ts'
import type { Step } from '../outcome.ts'
import type { ReplayChanges } from '../replay/replay.ts'
import type { ReplayedConsumer, ReplayOptions } from '../replay/replay-options.ts'
import type { TopicFacts } from '../start/check-topics.ts'
import { LaterLetterTopics } from '../start/later-letter-topics.ts'
import type { ResolvedTopicPolicy } from '../start/topic-policy.ts'
import { eventIn } from '../steps/decode.ts'
import { Dedupe } from '../steps/dedupe.ts'
import { keyIsIdStep } from '../steps/key-is-id.ts'
import { RecordMetrics } from '../steps/measure.ts'
import { traceStep } from '../steps/trace.ts'
import { guardedStep } from '../steps/user-step.ts'
import type { UserStep } from '../steps/user-step.ts'
import type { Publisher } from './publisher.ts'
import type { StagedSending } from './sending.ts'

/** What the consumers of a service have in common. */
export interface ConsumerAssembliesParts {
  readonly driver: Driver
  readonly platform: Platform
  readonly log: Log
  readonly metrics: RuntimeMetrics
  readonly policy: ResolvedTopicPolicy
  readonly alone: Alone
  readonly processId: string
  readonly tracer: () => Tracer
  /** Around the handlers of all consumers. */
  readonly steps: readonly UserStep[]
  readonly publisher: () => Publisher
  /** A handler ignores its signal: the process has to end. */
  readonly stuck: (delivery: Delivery) => void
  /** Nothing can be committed any more: the process has to end. */
  readonly failed: (error: Error) => void
  /** Makes what commits by transactions, where a consumer asks for it. */
  readonly makeExactlyOnce?: MakeExactlyOnce
}

type ReplayOfConsumer = ReplayChanges & Pick<ReplayOptions, 'dedupe'>

/** A letter that a broker may find too large is sent all the same: the broker's answer counts. */
const letterRequestBytesMin = 16 * 1024 * 1024

/** A replay is no member of the group: what would tell of the group's state says nothing of it. */
const untold: Pick<
  ConsumerEvents,
  'committed' | 'commitFailed' | 'rebalanced' | 'ownerDied' | 'outage'
> = {
  committed: () => undefined,
  commitFailed: () => undefined,
  rebalanced: () => undefined,
  ownerDied: () => undefined,
  outage: () => undefined,
}

/** What the consumers of a service are put together of, and the replays through their handlers. */
export class ConsumerAssemblies {
  readonly #parts: ConsumerAssembliesParts
  #letterSinks: CodecSinks | undefined
  /** What remembers the events of a consumer that was given no store; replays ask it too. */
  readonly #memories = new Map<ReplayedConsumer, DedupeStore>()

  constructor(parts: ConsumerAssembliesParts) {
    this.#parts = parts
  }

  /** A consumer, or a replay through its handlers; and what its metrics are counted with. */
  of(definition: ReplayedConsumer, facts: TopicFacts, replay?: ReplayOfConsumer) {
    const { settings } = definition
    const { driver, platform, log, metrics, alone, processId, stuck, failed } = this.#parts
    const { makeExactlyOnce } = this.#parts
    const { clock } = platform
    const time = new LatestTime(clock)
    const records = new RecordMetrics(metrics, time)
    const commitTimes = new Map<string, number>()
    const counted = { metrics, clock, group: settings.groupId, commitTimes }
    const events = logFailures(countEvents({ ...counted, records, time, stuck }), log, clock)
    const sinks = this.#sinks(facts)
    const later = this.#laterLetters(settings, facts)
    const assembly: ConsumerAssembly = {
      ...{ driver, platform, log, time, settings, alone, processId, failed },
      ...(makeExactlyOnce && { makeExactlyOnce }),
      sink: sinks.of('none'),
      sinkOf: (compression) => sinks.of(compression),
      way: this.#way(definition, records, time, replay),
      events: replay === undefined ? events : { ...events, ...untold, ended: replay.ended },
      eventId: ({ decoded }) => eventIn(decoded)?.id,
      partitionCount: (topic, source) => later.partitionCount(topic, source),
      // What a replay sends is sent at once: it commits nothing that it could go with.
      ...(replay && {
        settings: { ...replay.settings, exactlyOnce: undefined },
        replay: replay.replay,
      }),
    }
    return { assembly, counted }
  }

  async close(options: { readonly timeoutMs: number }): Promise<void> {
    await this.#letterSinks?.close(options)
  }

  #way(
    definition: ReplayedConsumer,
    records: RecordMetrics,
    time: LatestTime,
    replay: ReplayOfConsumer | undefined,
  ): ConsumerAssembly['way'] {
    const { platform, log, tracer, steps } = this.#parts
    const publisher = this.#parts.publisher()
    const stepParts = { clock: platform.clock, log }
    return (parts) =>
      definition.consumer.way({
        ...parts,
        time,
        steps: [
          ...(replay?.dedupe === 'ignore'
            ? []
            : this.#dedupe(definition, time, replay !== undefined)),
          records.step,
          traceStep(tracer(), definition.settings.groupId),
          keyIsIdStep(log),
          ...steps.map((step) => guardedStep(step, stepParts)),
        ],
        stepParts,
        sending: {
          publish: (event, data, options, context) =>
            publisher.publish(event, data, options, context),
          sendRecord: (record) => publisher.sendRecord(record),
          staged: stagedBy(publisher, parts.staging),
        },
      })
  }

  /** Around the measured step: what is skipped as a duplicate, or waits, was not processed. */
  #dedupe(definition: ReplayedConsumer, time: LatestTime, isReplay: boolean): readonly Step[] {
    const { groupId, dedupe, exactlyOnce } = definition.settings
    if (dedupe === undefined) return []
    const { platform, log, metrics } = this.#parts
    const { clock, random } = platform
    const store = dedupe.store ?? this.#memoryOf(definition, dedupe.idsMax)
    const isExactlyOnce = exactlyOnce !== undefined && !isReplay
    const parts = {
      clock,
      random,
      log,
      time,
      groupId,
      store,
      settings: dedupe,
      metrics,
      isExactlyOnce,
    }
    return [new Dedupe(parts).step]
  }

  #memoryOf(definition: ReplayedConsumer, idsMax: number): DedupeStore {
    let memory = this.#memories.get(definition)
    if (memory === undefined) {
      memory = memoryDedupeStore({ clock: this.#parts.platform.clock, idsMax })
      this.#memories.set(definition, memory)
    }
    return memory
  }

  #laterLetters(settings: ConsumerSettings, facts: TopicFacts): LaterLetterTopics {
    const { driver, platform, log, policy } = this.#parts
    return new LaterLetterTopics({ driver, clock: platform.clock, log, policy, settings, facts })
  }

  /** Letters may be larger than what a service sends. */
  #sinks({ letterBytesMax }: TopicFacts): CodecSinks {
    const { driver } = this.#parts
    const requestBytesMax = Math.max(2 * letterBytesMax, letterRequestBytesMin)
    this.#letterSinks ??= new CodecSinks((compression) =>
      driver.sink({ requestBytesMax, compression }),
    )
    return this.#letterSinks
  }
}

function stagedBy(publisher: Publisher, staging: Staging | undefined): StagedSending | undefined {
  return (
    staging && {
      prepare: (event, data, options, context) => publisher.prepare(event, data, options, context),
      check: (record) => staging.check(record),
    }
  )
}
