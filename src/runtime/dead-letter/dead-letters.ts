import { createHash } from 'node:crypto'
import { Backoff, KafkaError } from '../../client/index.ts'
import type { RecordBytes } from '../../client/index.ts'
import type { RecordSink } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock, Random } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
import { CondemnedError } from '../failure/failures.ts'
import type { FailingPartition, LetterBox } from '../failure/failures.ts'
import { letterOf } from './letter.ts'
import type { Letter } from './letter.ts'

/** What is done with a letter that the broker finds too large. */
export type TooLarge = 'stop' | 'omit-value'

export interface DeadLettersParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly sink: RecordSink
  readonly groupId: string
  readonly maxRetryCount: number
  readonly tooLarge: TooLarge
  /** The topic that the letters of a topic go to. */
  readonly topicOf: (topic: string, isPoison: boolean) => string
  /** How many partitions that has: a letter goes to the partition that the record came from. */
  readonly partitionCount: (topic: string) => number | undefined
  readonly eventId: (delivery: Delivery) => string | undefined
  readonly written: (delivery: Delivery, error: unknown, isPoison: boolean) => void
  readonly failed: (delivery: Delivery) => void
}

const pauseMsMin = 200
const pauseMsMax = 30_000

/**
 * Writes dead letters. A letter is tried until it is acknowledged: meanwhile its partition stands, for what cannot be
 * put away must not be passed over.
 */
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
    const { clock, random, log, tooLarge } = this.#parts
    const pauses = new Backoff(random, { firstMs: pauseMsMin, limitMs: pauseMsMax })
    let letter = this.#letter(delivery, error)
    let isHeld = false
    try {
      for (;;) {
        try {
          await this.#send(delivery, letter, partition.gone)
          this.#parts.written(delivery, error, letter.isPoison)
          return 'written'
        } catch (failure) {
          partition.gone.throwIfAborted()
          if (isTooLarge(failure)) {
            if (tooLarge === 'stop' || letter.value === null) return 'too-large'
            letter = withoutValue(letter, letter.value)
            continue
          }
          if (!isHeld) partition.hold('a dead letter cannot be written')
          isHeld = true
          this.#parts.failed(delivery)
          log(
            'error',
            `the dead letter of ${delivery.toString()} was not written, it is tried again`,
            {
              topic: delivery.topic,
              partition: delivery.partition,
              offset: delivery.offset,
              error: (failure as Error).message,
            },
          )
          await clock.sleep(pauses.nextMs(), partition.gone)
        }
      }
    } finally {
      if (isHeld) partition.letGo()
    }
  }

  #letter(delivery: Delivery, error: unknown): Letter {
    const { clock, groupId, maxRetryCount, eventId } = this.#parts
    const facts = { groupId, maxRetryCount, now: clock.now(), eventId: eventId(delivery) }
    return letterOf({ ...facts, delivery, error, isCondemned: error instanceof CondemnedError })
  }

  async #send(delivery: Delivery, letter: Letter, signal: AbortSignal): Promise<void> {
    const { sink, topicOf, partitionCount } = this.#parts
    const topic = topicOf(delivery.topic, letter.isPoison)
    const count = partitionCount(topic)
    await sink.send(
      {
        topic,
        key: letter.key,
        value: letter.value,
        headers: letter.headers,
        ...(delivery.record.timestamp >= 0 && { timestamp: delivery.record.timestamp }),
        ...(count !== undefined && { partition: delivery.partition % count }),
      },
      { signal },
    )
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

function isTooLarge(error: unknown): boolean {
  if (error instanceof KafkaError) {
    return error.kafkaName === 'MESSAGE_TOO_LARGE' || error.kafkaName === 'RECORD_LIST_TOO_LARGE'
  }
  return error instanceof Error && error.cause !== undefined && isTooLarge(error.cause)
}
