import { deadLetterTopicName, poisonTopicName } from '../../contract/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import { letterOf } from '../../runtime/index.ts'
import type { PlacedRecord } from '../operator/operator.ts'

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
