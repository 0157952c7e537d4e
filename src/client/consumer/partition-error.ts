import { MillraceError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

export interface PartitionErrorOptions extends ErrorOptions {
  /** Where reading stopped; -1 before there was a position. */
  readonly offset: number
  /** Where the log was cut: it goes on otherwise from there. */
  readonly cutAt?: number
}

/**
 * A partition cannot be read on. It stays where it is until it is sought elsewhere, paused or taken away;
 * other partitions are not touched by it.
 */
export class PartitionError extends MillraceError implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Where reading stopped; -1 before there was a position. */
  readonly offset: number
  /** Where the log was cut, if that is the reason: what was read of it from there on is gone. */
  readonly cutAt: number | undefined

  constructor(
    code: ErrorCode,
    { topic, partition }: TopicPartition,
    problem: string,
    { offset, cutAt, ...options }: PartitionErrorOptions,
  ) {
    super(code, `${topic}-${partition}: ${problem}`, options)
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.cutAt = cutAt
  }
}
