import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { deleteRecordsApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { shown } from '../../option-checks.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import { partitionMayRetry } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach } from './ask-each.ts'
import { onlyAnswer } from './item-result.ts'
import type { ItemResult, PartitionResult } from './item-result.ts'
import { byPartition, partitionResults } from './partitions.ts'
import { leaderRoute } from './routes.ts'

/** Records to be deleted. */
export interface RecordDeletion extends TopicPartition {
  /** The offset of the first record that stays; `'end'`: none of those that every replica has. */
  readonly before: number | 'end'
}

export interface DeletedRecords {
  /** The offset at which the partition begins now. */
  readonly startOffset: number
}

/** What DeleteRecords takes for the end of what every replica has. */
const highWatermark = -1

/** Records of partitions. */
export class RecordAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * Deletes the records of a partition that come before an offset.
   *
   * @example
   * const { startOffset } = await admin.records.delete({ topic: 'orders', partition: 0, before: 1_000 })
   */
  async delete(deletion: RecordDeletion, options: AdminCallOptions = {}): Promise<DeletedRecords> {
    return onlyAnswer(await this.deleteMany([deletion], options))
  }

  /** Deletes records of partitions, each for itself; in their order. */
  deleteMany(
    deletions: readonly RecordDeletion[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult<DeletedRecords>[]> {
    return adminCall(this.#world.cluster, 'records.delete', options, [], async (call) => {
      const items = byPartition('deletions', deletions)
      for (const { before } of deletions) checkOffset(before)
      return partitionResults(items, await deleteRecords(this.#world, call, items))
    })
  }
}

function deleteRecords(
  world: AdminWorld,
  call: AdminCall,
  deletions: ReadonlyMap<string, RecordDeletion>,
): Promise<Map<string, ItemResult<DeletedRecords>>> {
  return askEach<RecordDeletion, DeletedRecords>(call, deletions, {
    route: leaderRoute(call),
    effect: 'changes',
    name: (deletion) => `records of ${partitionKey(deletion)}`,
    mayRetry: partitionMayRetry(world),
    async ask(broker, asked) {
      const { topics } = await call.request(broker, deleteRecordsApi, {
        topics: [...byTopic(asked.map(({ item }) => item))].map(([name, partitions]) => ({
          name,
          partitions: partitions.map(({ partition, before }) => ({
            partitionIndex: partition,
            offset: before === 'end' ? highWatermark : before,
          })),
        })),
        timeoutMs: call.brokerTimeoutMs,
      })
      return new Map<string, DeletedRecords | MillraceError>(
        topics.flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex, lowWatermark, errorCode }) => {
            const partition = { topic, partition: partitionIndex }
            const key = partitionKey(partition)
            if (errorCode === 0) return [key, { startOffset: lowWatermark }] as const
            const what = `records of ${partitionKey(partition)}`
            return [key, new KafkaError(errorCode, what)] as const
          }),
        ),
      )
    },
  })
}

function checkOffset(before: unknown): void {
  if (before === 'end') return
  if (typeof before === 'number' && Number.isSafeInteger(before) && before >= 0) return
  throw new OptionError('before', `(${shown(before)}) must be an offset from 0 up, or 'end'`)
}
