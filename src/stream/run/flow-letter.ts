import { deadLetterTopicName, poisonTopicName } from '../../contract/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import {
  errorFieldsOf,
  failureLinesMax,
  letterMessage,
  letterOf,
  SparseLog,
} from '../../runtime/index.ts'
import type { PlacedRecord } from '../operator/operator.ts'
import { LeftOverError } from '../task/left-over-error.ts'

export interface FlowLetterFacts {
  readonly placed: PlacedRecord
  readonly error: Error
  readonly groupId: string
  readonly now: number
  readonly maxRetryCount: number
  readonly topicOf: (topic: string, isPoison: boolean) => string
  /** How many partitions a topic of letters has; undefined where that is not known. */
  readonly partitionCount: (topic: string) => number | undefined
}

/** The dead letter of a record that a flow could not work. */
export function flowLetter(facts: FlowLetterFacts): ProducerRecord {
  const { placed, error, groupId, now, maxRetryCount, topicOf, partitionCount } = facts
  const { topic, partition, record } = placed
  const { isPoison, ...letter } = letterOf({
    delivery: { topic, partition, record, offset: record.offset, copy: undefined, attemptInAll: 1 },
    ...{ error, groupId, now, maxRetryCount },
    isCondemned: false,
    replayGroup: undefined,
    eventId: undefined,
  })
  const target = topicOf(topic, isPoison)
  const count = partitionCount(target)
  return { topic: target, ...letter, ...(count !== undefined && { partition: partition % count }) }
}

/** The names of topics for dead letters, where nothing else is said. */
export const letterTopicOf = (topic: string, isPoison: boolean): string =>
  isPoison ? poisonTopicName(topic) : deadLetterTopicName(topic)

/** Tells the log of letters: where their records are and why, and never what is in them. */
export function letterLog(
  flow: string,
  log: Log,
  clock: Pick<Clock, 'elapsedMs'>,
): (placed: PlacedRecord, error: Error) => void {
  const sparse = new SparseLog(log, clock, failureLinesMax)
  return ({ topic, partition, record: { offset } }, error) => {
    // What came late or alone is no failure: there may be many of them, and they are counted.
    if (error instanceof LeftOverError) return
    const fields = { flow, topic, partition, offset, ...errorFieldsOf(error) }
    sparse.say('warn', letterMessage, fields)
  }
}
