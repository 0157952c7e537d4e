import { createHash } from 'node:crypto'
import type { RecordBytes } from '../../client/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
import { CondemnedError } from '../failure/failures.ts'
import type { FailingPartition, LetterBox } from '../failure/failures.ts'
import type { HeldWrites, PartitionCount } from './held-writes.ts'
import { letterOf } from './letter.ts'
import type { Letter } from './letter.ts'

/** What is done with a letter that the broker finds too large. */
export type TooLarge = 'stop' | 'omit-value'

export interface DeadLettersParts {
  readonly clock: Pick<Clock, 'now'>
  readonly writes: HeldWrites
  readonly groupId: string
  /** Of a replay: the group that it reads with, which its letters name too. */
  readonly replayGroup: string | undefined
  readonly maxRetryCount: number
  readonly tooLarge: TooLarge
  /** The topic that the letters of a topic go to. */
  readonly topicOf: (topic: string, isPoison: boolean) => string
  /** A letter goes to the partition that the record came from. */
  readonly partitionCount: PartitionCount
  readonly eventId: (delivery: Delivery) => string | undefined
  readonly written: (delivery: Delivery, error: unknown, isPoison: boolean) => void
  readonly failed: (delivery: Delivery) => void
}

/** Writes dead letters, into the topic that belongs to the one where the record was first. */
export class DeadLetters implements LetterBox {
  readonly #parts: DeadLettersParts

  constructor(parts: DeadLettersParts) {
    this.#parts = parts
  }

  async write(
    delivery: Delivery,
    error: unknown,
    partition: FailingPartition,
  ): Promise<'written' | 'too-large'> {
    const { tooLarge, writes, written, failed } = this.#parts
    let letter = this.#letter(delivery, error)
    for (;;) {
      const outcome = await writes.write({
        ...{ delivery, partition },
        what: 'the dead letter',
        record: () => this.#recordOf(delivery, letter),
        failed: () => failed(delivery),
      })
      if (outcome === 'written') {
        written(delivery, error, letter.isPoison)
        return 'written'
      }
      if (tooLarge === 'stop' || letter.value === null) return 'too-large'
      letter = withoutValue(letter, letter.value)
    }
  }

  #letter(delivery: Delivery, error: unknown): Letter {
    const { clock, groupId, replayGroup, maxRetryCount, eventId } = this.#parts
    return letterOf({
      ...{ delivery, error, groupId, replayGroup, maxRetryCount },
      now: clock.now(),
      eventId: eventId(delivery),
      isCondemned: error instanceof CondemnedError,
    })
  }

  /** It is of the time when it is written: by the record's own, retention could take it away at once. */
  async #recordOf(delivery: Delivery, { isPoison, key, value, headers }: Letter) {
    const { topicOf, partitionCount } = this.#parts
    const topic = topicOf(delivery.sourceTopic, isPoison)
    const count = await partitionCount(topic, delivery.sourceTopic)
    const partition = count === undefined ? undefined : delivery.partition % count
    return { topic, key, value, headers, ...(partition !== undefined && { partition }) }
  }
}

/** What is left of a letter whose value does not fit: how long it was, and how to recognize it. */
function withoutValue(letter: Letter, value: Buffer): Letter {
  const omitted: [string, RecordBytes][] = [
    ['value-omitted', 'true'],
    ['value-size', String(value.length)],
    ['value-sha256', createHash('sha256').update(value).digest('hex')],
  ]
  return { ...letter, value: null, headers: [...letter.headers, ...omitted] }
}
