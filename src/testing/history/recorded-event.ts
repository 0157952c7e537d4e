import { inspect } from 'node:util'
import { OptionError } from '../../errors.ts'
import type {
  BeginEvent,
  EndEvent,
  HistoryEvent,
  OperationKind,
  OperationStart,
  PolledPartition,
  StepEvent,
  TopicPartition,
  TopicPartitionOffset,
  Value,
} from './operation.ts'

/**
 * Copies what a test or a file says into events, field by field, and refuses what cannot be meant.
 * A copy, because a client's record may hold its whole fetch buffer, which a long history must not
 * keep. Refused, because a field that is silently missing makes the checker blind.
 */

/** The fields of something that is not known yet to be an event. */
type Fields = Readonly<Record<string, unknown>>

const endings: ReadonlySet<unknown> = new Set(['done', 'skipped', 'dead-lettered', 'forwarded'])
const outcomes: ReadonlySet<unknown> = new Set(['ok', 'failed', 'unknown'])

/** Any value as text, for an error or a story. */
export function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity })
}

function refuse(name: string, value: unknown, allowed: string): never {
  throw new OptionError(`history.${name}`, `(${show(value)}) must be ${allowed}`)
}

function copyText(value: unknown, name: string): string {
  return typeof value === 'string' ? value : refuse(name, value, 'a string')
}

function copyCount(value: unknown, name: string): number {
  const valid = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  return valid ? value : refuse(name, value, 'a whole number of at least 0')
}

function copyValue(value: unknown): Value {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) {
    return value
  }
  return refuse('value', value, 'a string or a finite number')
}

function copyList<Item>(list: unknown, name: string, copy: (item: Fields) => Item): Item[] {
  if (!Array.isArray(list)) return refuse(name, list, 'a list')
  return list.map((item: unknown) => copy(asFields(item, name)))
}

/** The fields of `value`, which is named `name` in the error when it has none. */
export function asFields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) return refuse(name, value, 'an object')
  return value as Fields
}

function copyTopics(topics: unknown): string[] {
  if (!Array.isArray(topics)) return refuse('topics', topics, 'a list')
  return topics.map((topic: unknown) => copyText(topic, 'topic'))
}

function copyTopicPartition(fields: Fields): TopicPartition {
  return {
    topic: copyText(fields['topic'], 'topic'),
    partition: copyCount(fields['partition'], 'partition'),
  }
}

function copyTopicPartitionOffset(fields: Fields): TopicPartitionOffset {
  return { ...copyTopicPartition(fields), offset: copyCount(fields['offset'], 'offset') }
}

function copyPolledPartition(fields: Fields): PolledPartition {
  const { offsets, values } = fields
  if (!Array.isArray(offsets)) return refuse('offsets', offsets, 'a list')
  if (!Array.isArray(values) || values.length !== offsets.length) {
    return refuse('values', values, `a list of ${offsets.length} values, one for each offset`)
  }
  return {
    topic: copyText(fields['topic'], 'topic'),
    partition: copyCount(fields['partition'], 'partition'),
    offsets: offsets.map((offset: unknown) => copyCount(offset, 'offset')),
    values: values.map(copyValue),
  }
}

/** Records as a client returns them, brought together by topic-partition in their order. */
export function groupRecords(records: unknown): PolledPartition[] {
  if (!Array.isArray(records)) return refuse('records', records, 'a list')
  const groups: { topic: string; partition: number; offsets: number[]; values: Value[] }[] = []
  let group: (typeof groups)[number] | undefined
  for (const record of records) {
    const fields = asFields(record, 'record')
    const { topic, partition, offset } = copyTopicPartitionOffset(fields)
    const value = copyValue(fields['value'])
    if (group?.topic !== topic || group.partition !== partition) {
      group = groups.find((other) => other.topic === topic && other.partition === partition)
    }
    if (group === undefined) {
      group = { topic, partition, offsets: [], values: [] }
      groups.push(group)
    }
    group.offsets.push(offset)
    group.values.push(value)
  }
  return groups
}

const copyStartFields: {
  readonly [Kind in OperationKind]: (
    fields: Fields,
  ) => Omit<OperationStart<Kind>, 'kind' | 'process'>
} = {
  send: (fields) => ({ ...copyTopicPartition(fields), value: copyValue(fields['value']) }),
  poll: copyGroup,
  transaction: () => ({}),
  commit: (fields) => ({
    group: copyText(fields['group'], 'group'),
    offsets: copyList(fields['offsets'], 'offsets', copyTopicPartitionOffset),
  }),
  handler: (fields) => ({
    ...copyTopicPartitionOffset(fields),
    group: copyText(fields['group'], 'group'),
    key: fields['key'] === null ? null : copyText(fields['key'], 'key'),
  }),
  assign: (fields) => ({
    partitions: copyList(fields['partitions'], 'partitions', copyTopicPartition),
  }),
  subscribe: (fields) => ({ topics: copyTopics(fields['topics']) }),
  rebalance: (fields) => ({
    partitions: copyList(fields['partitions'], 'partitions', copyTopicPartition),
  }),
  seek: (fields) => ({
    offsets: copyList(fields['offsets'], 'offsets', copyTopicPartitionOffset),
    ...copyGroup(fields),
  }),
  crash: () => ({}),
  final: () => ({}),
}

function copyGroup(fields: Fields): { group?: string } {
  return fields['group'] === undefined ? {} : { group: copyText(fields['group'], 'group') }
}

/** The beginning of operation `id`, from what its caller or a file says of it. */
export function copyBegin(id: number, atMs: number, fields: Fields): BeginEvent {
  const kind = copyText(fields['kind'], 'kind')
  if (!Object.hasOwn(copyStartFields, kind)) {
    return refuse('kind', kind, `one of ${Object.keys(copyStartFields).join(', ')}`)
  }
  const process = copyText(fields['process'], 'process')
  const start = copyStartFields[kind as OperationKind](fields)
  // The table's entry for `kind` has just made the fields that `kind` needs.
  return { event: 'begin', id, atMs, kind, process, ...start } as unknown as BeginEvent
}

/** A step of transaction `id`. */
export function copyStep(id: number, atMs: number, fields: Fields): StepEvent {
  const base = { event: 'step', id, atMs } as const
  const step = copyText(fields['step'], 'step')
  switch (step) {
    case 'send':
      return { ...base, step, ...copyTopicPartition(fields), value: copyValue(fields['value']) }
    case 'sent':
      return {
        ...base,
        step,
        send: copyCount(fields['send'], 'send'),
        offset: copyCount(fields['offset'], 'offset'),
      }
    case 'poll':
      return { ...base, step, reads: copyList(fields['reads'], 'reads', copyPolledPartition) }
    case 'offsets': {
      const offsets = copyList(fields['offsets'], 'offsets', copyTopicPartitionOffset)
      return { ...base, step, group: copyText(fields['group'], 'group'), offsets }
    }
    default:
      return refuse('step', step, 'one of send, sent, poll, offsets')
  }
}

/** The end of operation `id`. */
export function copyEnd(id: number, atMs: number, fields: Fields): EndEvent {
  const { outcome, error, offset, reads, ended } = fields
  if (!outcomes.has(outcome)) return refuse('outcome', outcome, 'ok, failed or unknown')
  if (ended !== undefined && !endings.has(ended)) {
    return refuse('ended', ended, 'done, skipped, dead-lettered or forwarded')
  }
  return {
    event: 'end',
    id,
    atMs,
    outcome: outcome as EndEvent['outcome'],
    ...(error === undefined ? {} : { error: copyText(fields['error'], 'error') }),
    ...(offset === undefined ? {} : { offset: copyCount(fields['offset'], 'offset') }),
    ...(reads === undefined
      ? {}
      : { reads: copyList(fields['reads'], 'reads', copyPolledPartition) }),
    ...(ended === undefined ? {} : { ended: ended as NonNullable<EndEvent['ended']> }),
  }
}

/** An event read from a file, with the number its operation has in the history that is built. */
export function copyEvent(id: number, fields: Fields): HistoryEvent {
  const { atMs, event } = fields
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) {
    return refuse('atMs', atMs, 'a finite number')
  }
  if (event === 'begin') return copyBegin(id, atMs, fields)
  if (event === 'step') return copyStep(id, atMs, fields)
  if (event === 'end') return copyEnd(id, atMs, fields)
  return refuse('event', event, 'begin, step or end')
}
