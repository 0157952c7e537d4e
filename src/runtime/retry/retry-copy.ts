import type { SourceHeader } from '../../driver/index.ts'
import { countIn, isCount, last, originIn, timeIn } from '../dead-letter/origin.ts'
import type { Delivery } from '../delivery.ts'
import type { Outcome, Step } from '../outcome.ts'
import type { RetryTopics } from './retry-topics.ts'

/** What a copy tells of the record that it is one of. */
export interface RetryCopy {
  /** Where the record was first. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When it was written there; -1 where that is not known. */
  readonly timestamp: number
  /** How often its handlers ran before it was copied. */
  readonly attempts: number
  /** How often it was written into its own topic again. */
  readonly rounds: number
}

/** The header that names the group which made a copy, for itself alone. */
export const groupHeader = 'retry-group'
export const roundsHeader = 'republish-count'
export const notBeforeHeader = 'not-before'

/** More than anybody tries; what is above was made up. */
const countMax = 1_000_000
const ofOthers: Outcome = { skipped: 'retry-copy' }

export interface CopyReaderParts {
  readonly groupId: string
  /** Undefined where the group has none. */
  readonly topics: RetryTopics | undefined
  /** A copy that another group has made for itself was passed over. */
  readonly skipped: (delivery: Delivery) => void
}

/**
 * Tells copies from other records. One in a retry topic is known by where it is; one that was written into its own topic
 * again by its headers, if they say so of the topic where it is. Counts that are malformed are 0.
 */
export class CopyReader {
  readonly #parts: CopyReaderParts

  constructor(parts: CopyReaderParts) {
    this.#parts = parts
  }

  /** Reads what a record says of itself as a copy, and passes over those of other groups. */
  get step(): Step {
    const { groupId, topics, skipped } = this.#parts
    return (delivery, next) => {
      if (topics === undefined && isTooSmall(delivery)) return next(delivery)
      const group = this.#groupOf(delivery)
      if (group === undefined || group === groupId) return next(delivery)
      skipped(delivery)
      return ofOthers
    }
  }

  /** Headers that cannot be read are told by whoever needs them. */
  #groupOf(delivery: Delivery): string | undefined {
    try {
      return this.note(delivery)
    } catch {
      return undefined
    }
  }

  /** Keeps what the record says of itself as a copy of ours; answers the group whose copy it is. */
  note(delivery: Delivery): string | undefined {
    const { groupId, topics } = this.#parts
    const { topic, record } = delivery
    const retryTopic = topics?.get(topic)
    if (retryTopic !== undefined) {
      delivery.copy ??= copyIn(delivery, retryTopic.source)
      return groupId
    }
    const group = record.header(groupHeader)
    if (group === undefined || group === null || !isOfTopic(record.headers, topic)) return undefined
    const name = group.toString()
    if (name === groupId) delivery.copy ??= copyIn(delivery, topic)
    return name
  }
}

/** Whether the record has no room for the header, which costs less to find out than to look for it. */
function isTooSmall({ record }: Delivery): boolean {
  const { sizeInBytes, keySize, valueSize } = record
  return sizeInBytes - Math.max(keySize, 0) - Math.max(valueSize, 0) < groupHeader.length
}

/** Whether a copy was made in this topic, and for it: headers that went with a record elsewhere say nothing. */
function isOfTopic(headers: readonly SourceHeader[], topic: string): boolean {
  const isThere = last(headers, 'source-topic')?.toString() === topic
  return isThere && isCount(last(headers, roundsHeader)?.toString('latin1'))
}

function copyIn({ partition, offset, record }: Delivery, topic: string): RetryCopy {
  const { headers } = record
  const origin = originIn(headers)
  return {
    topic,
    partition: origin?.partition ?? partition,
    offset: origin?.offset ?? offset,
    timestamp: timeIn(headers) ?? -1,
    attempts: Math.min(countIn(headers, 'attempts'), countMax),
    rounds: Math.min(countIn(headers, roundsHeader), countMax),
  }
}
