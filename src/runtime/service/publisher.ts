import { ContractError, createEventIds, encodeEvent } from '../../contract/index.ts'
import type {
  DataOf,
  EncodedRecord,
  EventContract,
  MessageContext,
  TopicContract,
} from '../../contract/index.ts'
import type { ProducerRecord, RecordResult } from '../../client/index.ts'
import type { RecordSink } from '../../driver/index.ts'
import { passThroughTracer, sendSpan } from '../../observe/index.ts'
import type { RuntimeMetrics, Span, Tracer } from '../../observe/index.ts'
import { OptionError } from '../../errors.ts'
import type { Platform } from '../../platform/index.ts'
import { LatestLookup } from '../latest-lookup.ts'
import type { PublishOptions } from './handler-context.ts'

/** An event that is to be sent. */
export interface Outgoing<Contract extends EventContract = EventContract> {
  readonly event: Contract
  readonly data: DataOf<Contract>
  readonly options?: PublishOptions | undefined
}

export interface PublisherParts {
  readonly platform: Pick<Platform, 'clock' | 'random'>
  /** Undefined: nothing is counted. */
  readonly metrics?: RuntimeMetrics
  /** Undefined: there are no spans. */
  readonly tracer?: Tracer
  readonly sink: RecordSink
  /** The name of the service: who sends it. */
  readonly source: string | undefined
  readonly topics: readonly TopicContract[]
}

/** Sends events: checked by their contracts, to the topic that they belong to. */
export class Publisher {
  readonly #parts: PublisherParts
  readonly #newId: () => string
  readonly #topicOf = new Map<EventContract, TopicContract>()
  /** By topic, then by type of event; undefined where nothing is counted. */
  readonly #counted: LatestLookup<LatestLookup<Counted>> | undefined

  constructor(parts: PublisherParts) {
    this.#parts = parts
    const { metrics } = parts
    if (metrics !== undefined) {
      this.#counted = new LatestLookup(
        (topic) => new LatestLookup((type) => countedIn(metrics, topic, type)),
      )
    }
    this.#newId = createEventIds(parts.platform.clock, parts.platform.random)
  }

  /** Checks and sends one event; resolves when it is acknowledged. */
  async publish<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options: PublishOptions | undefined,
    context: MessageContext | undefined,
  ): Promise<RecordResult> {
    const { platform, sink, tracer = passThroughTracer } = this.#parts
    const { clock } = platform
    const topic = this.#topic(event).name
    const counted = this.#counted?.get(topic).get(event.type)
    // What hands on the context that a record came with needs no span.
    const span = tracer.isEnabled ? tracer.startSpan(sendSpan({ record: { topic } })) : undefined
    const beganMs = clock.elapsedMs()
    try {
      const encoding = this.#encode({ event, data, options }, within(context, span))
      const record = encoding instanceof Promise ? await encoding : encoding
      const sending = span === undefined ? sink.send(record) : span.run(() => sink.send(record))
      const result = await sending
      counted?.acknowledged.add(1)
      counted?.seconds.observe((clock.elapsedMs() - beganMs) / 1_000)
      span?.end()
      return result
    } catch (error) {
      counted?.[error instanceof ContractError ? 'refused' : 'failed'].add(1)
      span?.end({ error })
      throw error
    }
  }

  /** Checks all, then sends all: nothing is sent when one of them is refused. */
  async publishMany(
    outgoing: readonly Outgoing[],
    context: MessageContext | undefined,
  ): Promise<RecordResult[]> {
    const records = await Promise.all(outgoing.map(async (each) => this.#encode(each, context)))
    return (await this.#parts.sink.send(records)).toArray()
  }

  /** Checks an event, and answers what is to be written for it. */
  async prepare<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options: PublishOptions | undefined,
    context: MessageContext | undefined,
  ): Promise<ProducerRecord> {
    return this.#encode({ event, data, options }, context)
  }

  /** Sends a record as it is. */
  sendRecord(record: ProducerRecord): Promise<RecordResult> {
    return this.#parts.sink.send(record)
  }

  #encode(
    { event, data, options }: Outgoing,
    context: MessageContext | undefined,
  ): EncodedRecord | Promise<EncodedRecord> {
    return encodeEvent(this.#topic(event), event, data, {
      id: options?.id ?? this.#newId(),
      timestamp: options?.timestamp ?? this.#parts.platform.clock.now(),
      key: options?.key,
      headers: options?.headers,
      partition: options?.partition,
      source: this.#parts.source,
      context,
    })
  }

  /** The topic of an event: the only one that the service knows with it. */
  #topic(event: EventContract): TopicContract {
    const known = this.#topicOf.get(event)
    if (known !== undefined) return known
    const found = this.#parts.topics.filter(({ events }) => events.get(event.type) === event)
    const [topic] = found
    if (topic === undefined) {
      const hint = 'name its topic in createService({ topics: [...] })'
      throw new OptionError(
        'event',
        `('${event.type}') is of no topic that the service knows; ${hint}`,
      )
    }
    if (found.length > 1) {
      const names = found.map(({ name }) => name).join(', ')
      throw new OptionError('event', `('${event.type}') is of several topics: ${names}`)
    }
    this.#topicOf.set(event, topic)
    return topic
  }
}

/** What is counted of one type of event in one topic. */
type Counted = ReturnType<typeof countedIn>

function countedIn(metrics: RuntimeMetrics, topic: string, event_type: string) {
  const { publishedRecords, publishDuration } = metrics
  const counter = (outcome: string) => publishedRecords.with({ topic, event_type, outcome })
  return {
    acknowledged: counter('acknowledged'),
    refused: counter('refused'),
    failed: counter('failed'),
    seconds: publishDuration.with({ topic }),
  }
}

/** What is sent is part of the span that stands for the sending, where there are spans. */
function within(
  context: MessageContext | undefined,
  span: Span | undefined,
): MessageContext | undefined {
  if (span?.context === undefined || context === undefined) return context
  const { correlationId, causationId } = context
  return { correlationId, causationId, ...span.context }
}
