import type { IsolationLevel } from '../consumer/consumer-options.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { describeTopics } from './describe-topics.ts'
import { findOffsets, isolationLevels } from './find-offsets.ts'
import type { FoundOffset, OffsetPlace, OffsetQuestion } from './find-offsets.ts'
import { answerOf, onlyAnswer } from './item-result.ts'
import type { PartitionResult } from './item-result.ts'
import { codeOf } from './named-codes.ts'
import { byPartition, nameOf, partitionResults } from './partitions.ts'

export interface FindOffsetsOptions extends AdminCallOptions {
  /** With `read_committed`, latest is where the first open transaction begins. @defaultValue 'read_uncommitted' */
  readonly isolation?: IsolationLevel
}

/** Offsets of partitions by time. */
export class OffsetAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * An offset of a partition.
   *
   * @example
   * const noon = Date.parse('2026-01-01T12:00:00Z')
   * const { offset } = await admin.offsets.find({ topic: 'orders', partition: 0, at: { timestamp: noon } })
   */
  async find(question: OffsetQuestion, options: FindOffsetsOptions = {}): Promise<FoundOffset> {
    return onlyAnswer(await this.findMany([question], options))
  }

  /** Offsets of partitions, in their order. */
  findMany(
    questions: readonly OffsetQuestion[],
    options: FindOffsetsOptions = {},
  ): Promise<PartitionResult<FoundOffset>[]> {
    return adminCall(this.#world.cluster, 'offsets.find', options, ['isolation'], async (call) => {
      const isolation = isolationOf(options)
      const items = byPartition('questions', questions)
      return partitionResults(items, await findOffsets(this.#world, call, items, isolation))
    })
  }

  /** The same place in all partitions of a topic. Throws where there is no such topic. */
  findInTopic(
    topic: string,
    at: OffsetPlace,
    options: FindOffsetsOptions = {},
  ): Promise<PartitionResult<FoundOffset>[]> {
    return adminCall(this.#world.cluster, 'offsets.find', options, ['isolation'], async (call) => {
      const isolation = isolationOf(options)
      const name = nameOf('topic', topic)
      const described = await describeTopics(this.#world, call, new Map([[name, name]]), false)
      const { partitions } = answerOf(described.get(name))
      const questions = partitions.map(({ partition }) => ({ topic, partition, at }))
      const items = byPartition('questions', questions)
      return partitionResults(items, await findOffsets(this.#world, call, items, isolation))
    })
  }
}

function isolationOf({ isolation = 'read_uncommitted' }: FindOffsetsOptions): IsolationLevel {
  codeOf('isolation', isolation, isolationLevels)
  return isolation
}
