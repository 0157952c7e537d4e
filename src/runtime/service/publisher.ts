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

  constructor(parts: PublisherParts) {
    this.#parts = parts
    this.#newId = createEventIds(parts.platform.clock, parts.platform.random)
  }

  /** Checks and sends one event; resolves when it is acknowledged. */
  async publish<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options: PublishOptions | undefined,
    context: MessageContext | undefined,
  ): Promise<RecordResult> {
    const { metrics, platform, sink, tracer = passThroughTracer } = this.#parts
    const { clock } = platform
    const topic = this.#topic(event).name
    const span = tracer.startSpan(sendSpan({ record: { topic } }))
    const beganMs = clock.elapsedMs()
    const told = (outcome: 'acknowledged' | 'refused' | 'failed') =>
      metrics?.publishedRecords.with({ topic, event_type: event.type, outcome }).add(1)
    try {
      const record = await this.#encode({ event, data, options }, within(context, span))
      const result = await span.run(() => sink.send(record))
      told('acknowledged')
      metrics?.publishDuration.with({ topic }).observe((clock.elapsedMs() - beganMs) / 1_000)
      span.end()
      return result
    } catch (error) {
      told(error instanceof ContractError ? 'refused' : 'failed')
      span.end({ error })
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

/** What is sent is part of the span that stands for the sending, where there are spans. */
function within(context: MessageContext | undefined, span: Span): MessageContext | undefined {
  if (span.context === undefined || context === undefined) return context
  const { correlationId, causationId } = context
  return { correlationId, causationId, ...span.context }
}
