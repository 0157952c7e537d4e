import { Backoff, isTooLarge } from '../../client/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock, Random } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
import type { FailingPartition } from '../failure/failures.ts'

export interface HeldWritesParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Writes on behalf of a record; resolves when that is acknowledged, or part of what makes the record end. */
  readonly send: (
    delivery: Delivery,
    record: ProducerRecord,
    signal: AbortSignal,
  ) => Promise<unknown>
}

/**
 * How many partitions a topic has that is written to in the place of records of `source`; undefined where that is not known.
 * The topic may have to be made first: rejects as long as it is not there.
 */
export type PartitionCount = (
  topic: string,
  source: string,
) => number | undefined | Promise<number | undefined>

/** A record that is written in the place of one that failed. */
export interface HeldWrite {
  readonly delivery: Delivery
  readonly partition: FailingPartition
  /** How logs name it: `the dead letter`. */
  readonly what: string
  /** What is written. Asked for again with every try: it may have to find out, or make, where it goes. */
  readonly record: () => Promise<ProducerRecord>
  /** It was not written, and is tried again. */
  readonly failed: () => void
}

const pauseMsMin = 200
const pauseMsMax = 30_000

/**
 * Writes what a failed record becomes. It is tried until it is acknowledged: meanwhile the partition stands, for what
 * cannot be put away must not be passed over.
 */
export class HeldWrites {
  readonly #parts: HeldWritesParts

  constructor(parts: HeldWritesParts) {
    this.#parts = parts
  }

  /** Resolves when it is acknowledged, or the broker will never take it; rejects when the partition is given up before. */
  async write(write: HeldWrite): Promise<'written' | 'too-large'> {
    const { clock, random, send } = this.#parts
    const { delivery, partition, what } = write
    const pauses = new Backoff(random, { firstMs: pauseMsMin, limitMs: pauseMsMax })
    let isHeld = false
    try {
      for (;;) {
        try {
          await send(delivery, await write.record(), partition.gone)
          return 'written'
        } catch (failure) {
          partition.gone.throwIfAborted()
          if (isTooLarge(failure)) return 'too-large'
          if (!isHeld) partition.hold(`${what} cannot be written`)
          isHeld = true
          write.failed()
          this.#tell(write, failure)
          await clock.sleep(pauses.nextMs(), partition.gone)
        }
      }
    } finally {
      if (isHeld) partition.letGo()
    }
  }

  #tell({ what, delivery }: HeldWrite, failure: unknown): void {
    const { topic, partition, offset } = delivery
    this.#parts.log('error', `${what} of ${String(delivery)} was not written, it is tried again`, {
      ...{ topic, partition, offset },
      error: (failure as Error).message,
    })
  }
}
