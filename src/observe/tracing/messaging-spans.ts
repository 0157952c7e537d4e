import type { TraceContext } from './trace-context.ts'
import type { Span, SpanAttributes, SpanLink, SpanOptions } from './tracer.ts'

/**
 * Spans as OpenTelemetry's conventions for messaging name and describe them (semantic conventions 1.44).
 * Everything that samplers look at is there from the start.
 */

/** What is known of the record that a span is about. */
export interface TracedRecord {
  readonly topic: string
  readonly partition?: number
  readonly offset?: number
  /** As text. Leave it out where keys may hold what traces should not, and where there is none. */
  readonly key?: string
  readonly isTombstone?: boolean
  /** The event's id. */
  readonly messageId?: string
  readonly correlationId?: string
  readonly valueBytes?: number
}

/** Who takes part. */
export interface TracedClient {
  readonly clientId?: string
  readonly clusterId?: string
}

export interface ProcessSpanOptions extends TracedClient {
  readonly record: TracedRecord
  readonly groupId: string
  /** What the record's headers say. */
  readonly context: TraceContext | undefined
  /**
   * Whether the span goes on the trace that the record came with. Else it begins one of its own; in both cases it is
   * linked to what made the record.
   * @defaultValue true
   */
  readonly continuesTrace?: boolean
}

/** A handler that runs for one record: `process orders`. */
export function processSpan(options: ProcessSpanOptions): SpanOptions {
  const { record, groupId, context, continuesTrace = true } = options
  return {
    name: `process ${record.topic}`,
    kind: 'consumer',
    attributes: {
      ...operation('process', 'process', options),
      'messaging.consumer.group.name': groupId,
      ...recordAttributes(record),
    },
    ...(context === undefined ? {} : { links: [{ context }] }),
    parent: context !== undefined && continuesTrace ? context : 'none',
  }
}

export interface ProcessBatchSpanOptions extends TracedClient {
  /** Undefined when they are of several topics. */
  readonly topic: string | undefined
  /** Undefined when they are of several partitions. */
  readonly partition: number | undefined
  readonly groupId: string
  /** Each with what its headers say. */
  readonly records: readonly (TracedRecord & { readonly context: TraceContext | undefined })[]
}

/** A handler that runs for a batch. It belongs to no trace of its records, but is linked to each. */
export function processBatchSpan(options: ProcessBatchSpanOptions): SpanOptions {
  const { topic, partition, groupId, records } = options
  return {
    name: topic === undefined ? 'process' : `process ${topic}`,
    kind: 'consumer',
    attributes: {
      ...operation('process', 'process', options),
      ...destination(topic, partition),
      'messaging.consumer.group.name': groupId,
      'messaging.batch.message_count': records.length,
    },
    links: records.flatMap(({ context, ...record }): SpanLink[] =>
      context === undefined ? [] : [{ context, attributes: linkedRecord(record, topic) }],
    ),
    parent: 'none',
  }
}

export interface SendSpanOptions extends TracedClient {
  readonly record: TracedRecord
  readonly parent?: SpanOptions['parent']
}

/** Sending one record: `send orders`. Its context goes into the record's headers. */
export function sendSpan({ record, parent = 'active', ...client }: SendSpanOptions): SpanOptions {
  return {
    name: `send ${record.topic}`,
    kind: 'producer',
    attributes: { ...operation('send', 'send', client), ...recordAttributes(record) },
    parent,
  }
}

/** One record of several that are sent together: `create orders`. Its context goes into the record's headers. */
export function createSpan({ record, parent = 'active', ...client }: SendSpanOptions): SpanOptions {
  return {
    name: `create ${record.topic}`,
    kind: 'producer',
    attributes: { ...operation('create', 'create', client), ...recordAttributes(record) },
    parent,
  }
}

export interface SendBatchSpanOptions extends TracedClient {
  /** Undefined when they go to several topics. */
  readonly topic: string | undefined
  readonly count: number
  /** What went into the headers of each. */
  readonly contexts: readonly TraceContext[]
  readonly parent?: SpanOptions['parent']
}

/** Sending records together, each of which has a context of its own. */
export function sendBatchSpan(options: SendBatchSpanOptions): SpanOptions {
  const { topic, count, contexts, parent = 'active' } = options
  return {
    name: topic === undefined ? 'send' : `send ${topic}`,
    kind: 'client',
    attributes: {
      ...operation('send', 'send', options),
      ...destination(topic, undefined),
      'messaging.batch.message_count': count,
    },
    links: contexts.map((context) => ({ context })),
    parent,
  }
}

export interface CommitSpanOptions extends TracedClient {
  /** Undefined when offsets of several topics are committed. */
  readonly topic: string | undefined
  readonly partition?: number
  readonly groupId: string
  readonly parent?: Span | 'none'
}

/** A commit of offsets: `commit orders`. */
export function commitSpan(options: CommitSpanOptions): SpanOptions {
  const { topic, partition, groupId, parent = 'none' } = options
  return {
    name: topic === undefined ? 'commit' : `commit ${topic}`,
    kind: 'client',
    attributes: {
      ...operation('commit', 'settle', options),
      ...destination(topic, partition),
      'messaging.consumer.group.name': groupId,
    },
    parent,
  }
}

function operation(name: string, type: string, client: TracedClient): SpanAttributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.client.id': client.clientId,
    'messaging.kafka.cluster.id': client.clusterId,
  }
}

function destination(topic: string | undefined, partition: number | undefined): SpanAttributes {
  return {
    'messaging.destination.name': topic,
    // Text, says the convention: other systems have partitions with names.
    'messaging.destination.partition.id': partition?.toString(),
  }
}

/** What is known of a record, for its span. Also for what is learned later, such as its partition and offset. */
export function recordAttributes(record: TracedRecord): SpanAttributes {
  return { ...destination(record.topic, record.partition), ...contentAttributes(record) }
}

/** What the span of the batch does not say already. */
function linkedRecord(record: TracedRecord, topic: string | undefined): SpanAttributes {
  return {
    ...destination(topic === undefined ? record.topic : undefined, record.partition),
    ...contentAttributes(record),
  }
}

function contentAttributes(record: TracedRecord): SpanAttributes {
  return {
    'messaging.kafka.offset': record.offset,
    'messaging.kafka.message.key': record.key,
    'messaging.kafka.message.tombstone': record.isTombstone === true ? true : undefined,
    'messaging.message.id': record.messageId,
    'messaging.message.conversation_id': record.correlationId,
    'messaging.message.body.size': record.valueBytes,
  }
}
