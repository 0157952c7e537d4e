import type { RecordBytes } from '../../client/index.ts'
import { countIn } from './origin.ts'
import { errorHeaders, placeHeaders } from './trail.ts'
import type { TrailHeader, TrailPlace } from './trail.ts'

/** A record as far as its letter asks. */
export interface LetteredRecord extends TrailPlace {
  /** How often it was run, also in earlier lives. */
  readonly attemptInAll: number
}

/** What a letter tells beside what the record was. */
export interface LetterFacts {
  readonly delivery: LetteredRecord
  readonly error: unknown
  /** Whether it kills whoever runs it. */
  readonly isCondemned: boolean
  readonly groupId: string
  /** Of a replay: the group that it reads with. */
  readonly replayGroup: string | undefined
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

/** Headers that a letter has, or that a copy had which is none any more. */
const ownNames: ReadonlySet<string> = new Set([
  'source-topic',
  'source-partition',
  'source-offset',
  'original-topic',
  'original-partition',
  'original-offset',
  'original-timestamp',
  'source-event-id',
  'retry-count',
  'attempts',
  'error-message',
  'error-class',
  'consumer-group',
  'replay-group',
  'dlq-timestamp',
  'poison-timestamp',
  'retry-group',
  'republish-count',
  'not-before',
])

/**
 * A record as it goes to a dead-letter topic: key, value and headers byte for byte, and beside them where it was read
 * and why it is here. Headers of our names that were there are replaced: none of them chooses a topic, and a count
 * that somebody made up brings the letter to the poison topic at most.
 */
export function letterOf(facts: LetterFacts): Letter {
  const { delivery, error, groupId, replayGroup, eventId, now, maxRetryCount } = facts
  const { record } = delivery
  const retryCount = countIn(record.headers, 'retry-count') + 1
  const isPoison = facts.isCondemned || retryCount > maxRetryCount
  const own: TrailHeader[] = [
    ...placeHeaders(delivery),
    ...(eventId === undefined ? [] : [['source-event-id', eventId] as TrailHeader]),
    ['retry-count', String(retryCount)],
    ['attempts', String(delivery.attemptInAll)],
    ...errorHeaders(error),
    ['consumer-group', groupId],
    ...(replayGroup === undefined ? [] : [['replay-group', replayGroup] as TrailHeader]),
    ['dlq-timestamp', String(now)],
    ...(isPoison ? [['poison-timestamp', String(now)] as TrailHeader] : []),
  ]
  const kept = record.headers.filter(({ key }) => !ownNames.has(key))
  return {
    isPoison,
    key: record.key,
    value: record.value,
    headers: [...kept.map(({ key, value }) => [key, value] as const), ...own],
  }
}
