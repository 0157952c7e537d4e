import type { RecordBytes } from '../../client/index.ts'
import type { SourceHeader } from '../../driver/index.ts'
import type { Delivery } from '../delivery.ts'

/** What a letter tells beside what the record was. */
export interface LetterFacts {
  readonly delivery: Delivery
  readonly error: unknown
  /** Whether it kills whoever runs it. */
  readonly isCondemned: boolean
  readonly groupId: string
  readonly eventId: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
  /** A record that was dead-lettered more often goes to the poison topic. */
  readonly maxRetryCount: number
}

export type LetterHeaders = readonly (readonly [name: string, value: RecordBytes])[]

export interface Letter {
  /** Whether it goes to the poison topic: nobody reads it back by itself. */
  readonly isPoison: boolean
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: LetterHeaders
}

const errorCharactersMax = 1_024

/** Where a record was first, when it has been moved since. */
const originNames = ['original-topic', 'original-partition', 'original-offset'] as const

const ownNames: ReadonlySet<string> = new Set([
  'source-topic',
  'source-partition',
  'source-offset',
  ...originNames,
  'source-event-id',
  'retry-count',
  'attempts',
  'error-message',
  'error-class',
  'consumer-group',
  'dlq-timestamp',
  'poison-timestamp',
])

/**
 * A record as it goes to a dead-letter topic: key, value and headers byte for byte, and beside them where it was read
 * and why it is here. Headers of our names that were there are replaced: none of them chooses a topic, and a count
 * that somebody made up brings the letter to the poison topic at most.
 */
export function letterOf(facts: LetterFacts): Letter {
  const { delivery, error, groupId, eventId, now, maxRetryCount } = facts
  const { record, topic, partition, offset } = delivery
  const headers = record.headers
  const retryCount = countIn(headers, 'retry-count') + 1
  const isPoison = facts.isCondemned || retryCount > maxRetryCount
  const own: [string, RecordBytes][] = [
    ['source-topic', topic],
    ['source-partition', String(partition)],
    ['source-offset', String(offset)],
    ...originOf(delivery, headers),
    ...(eventId === undefined ? [] : ([['source-event-id', eventId]] as [string, string][])),
    ['retry-count', String(retryCount)],
    ['attempts', String(delivery.attempt)],
    ['error-message', messageOf(error).slice(0, errorCharactersMax)],
    ['error-class', classOf(error)],
    ['consumer-group', groupId],
    ['dlq-timestamp', String(now)],
    ...(isPoison ? ([['poison-timestamp', String(now)]] as [string, string][]) : []),
  ]
  const kept = headers.filter(({ key }) => !ownNames.has(key))
  return {
    isPoison,
    key: record.key,
    value: record.value,
    headers: [...kept.map(({ key, value }) => [key, value] as const), ...own],
  }
}

/** Where the record was first: as an earlier move has written it, if all of it is there and well formed. */
function originOf(delivery: Delivery, headers: readonly SourceHeader[]): [string, RecordBytes][] {
  const [topic, partition, offset] = originNames.map((name) => last(headers, name)?.toString())
  const isKnown =
    topic !== undefined && /^[\w.-]{1,249}$/.test(topic) && isCount(partition) && isCount(offset)
  const origin = isKnown
    ? [topic, partition, offset]
    : [delivery.topic, String(delivery.partition), String(delivery.offset)]
  return originNames.map((name, index) => [name, origin[index] as string])
}

/** The number in a header; 0 where there is none, or something else. */
function countIn(headers: readonly SourceHeader[], name: string): number {
  const text = last(headers, name)?.toString('latin1')
  return isCount(text) ? Number(text) : 0
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,15}$/.test(text)
}

function last(headers: readonly SourceHeader[], name: string): Buffer | undefined {
  return headers.findLast(({ key }) => key === name)?.value ?? undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return error.name === 'Error' ? error.constructor.name : error.name
}
