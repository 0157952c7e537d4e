import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import {
  alterPartitionReassignmentsApi,
  listPartitionReassignmentsApi,
} from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import { shown } from '../../option-checks.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import { onlyAnswer } from './item-result.ts'
import type { PartitionResult } from './item-result.ts'
import { byPartition, partitionResults, topicsOf } from './partitions.ts'
import { controllerRoute } from './routes.ts'

/** Where a partition shall be. */
export interface Reassignment extends TopicPartition {
  /** The brokers, the preferred leader first. */
  readonly replicas: readonly number[]
}

/** A move of a partition that is under way. */
export interface OngoingReassignment extends TopicPartition {
  /** All that have it now or will have it. */
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export interface ListReassignmentsOptions extends AdminCallOptions {
  /** Only of these partitions. @defaultValue all */
  readonly partitions?: readonly TopicPartition[]
}

/** Moves of partitions from broker to broker. */
export class ReassignmentAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /** The moves that are under way. */
  list(options: ListReassignmentsOptions = {}): Promise<OngoingReassignment[]> {
    return this.#call('list', options, ['partitions'], async (call) => {
      const { partitions } = options
      byPartition('partitions', partitions ?? [])
      const topics = partitions === undefined ? null : topicsOf(partitions)
      const found = await askOne(call, controllerRoute(call), async (broker) => {
        const request = { timeoutMs: call.brokerTimeoutMs, topics }
        const answer = await call.request(broker, listPartitionReassignmentsApi, request)
        checkKafkaCode(answer.errorCode, 'reassignments', answer.errorMessage)
        return answer.topics
      })
      return found.flatMap(({ name: topic, partitions: some }) =>
        some.map(({ partitionIndex: partition, ...replicas }) => ({
          topic,
          partition,
          ...replicas,
        })),
      )
    })
  }

  /**
   * Begins to move a partition; `list` tells when it has arrived.
   *
   * @example
   * await admin.reassignments.alter({ topic: 'orders', partition: 0, replicas: [3, 1] })
   */
  async alter(reassignment: Reassignment, options: AdminCallOptions = {}): Promise<void> {
    onlyAnswer<object>(await this.alterMany([reassignment], options))
  }

  /** Begins to move partitions, each for itself; in their order. */
  alterMany(
    reassignments: readonly Reassignment[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult[]> {
    return this.#call('alter', options, [], (call) => {
      for (const { replicas } of reassignments) checkReplicas(replicas)
      return alterReassignments(call, byPartition('reassignments', reassignments))
    })
  }

  /** Takes the move of a partition back. Where none is under way: NO_REASSIGNMENT_IN_PROGRESS. */
  async cancel(partition: TopicPartition, options: AdminCallOptions = {}): Promise<void> {
    onlyAnswer<object>(await this.cancelMany([partition], options))
  }

  /** Takes moves of partitions back, each for itself; in their order. */
  cancelMany(
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<PartitionResult[]> {
    return this.#call('cancel', options, [], (call) => {
      const cancelled = partitions.map(({ topic, partition }) => ({ topic, partition }))
      return alterReassignments(call, byPartition('partitions', cancelled))
    })
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    known: readonly string[],
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `reassignments.${method}`, options, known, work)
  }
}

function checkReplicas(replicas: unknown): void {
  const isBroker = (id: unknown) => Number.isSafeInteger(id) && Number(id) >= 0
  if (Array.isArray(replicas) && replicas.length > 0 && replicas.every(isBroker)) return
  throw new OptionError('replicas', `(${shown(replicas)}) must be a list of ids of brokers`)
}

/** Without replicas a move is taken back. */
type Change = TopicPartition & { readonly replicas?: readonly number[] }

async function alterReassignments(
  call: AdminCall,
  changes: ReadonlyMap<string, Change>,
): Promise<PartitionResult[]> {
  const name = (partition: TopicPartition) => `reassignment of ${partitionKey(partition)}`
  const results = await askEach<Change, object>(call, changes, {
    route: controllerRoute(call),
    effect: 'changes',
    name,
    async ask(broker, asked) {
      const answer = await call.request(broker, alterPartitionReassignmentsApi, {
        timeoutMs: call.brokerTimeoutMs,
        topics: [...byTopic(asked.map(({ item }) => item))].map(([topic, some]) => ({
          name: topic,
          partitions: some.map(({ partition, replicas }) => ({
            partitionIndex: partition,
            replicas: replicas ?? null,
          })),
        })),
      })
      checkKafkaCode(answer.errorCode, 'reassignments', answer.errorMessage)
      return new Map<string, object | MillraceError>(
        answer.responses.flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex: partition, errorCode, errorMessage }) => {
            const key = partitionKey({ topic, partition })
            if (errorCode === 0) return [key, {}]
            return [key, new KafkaError(errorCode, name({ topic, partition }), errorMessage)]
          }),
        ),
      )
    },
  })
  return partitionResults(changes, results)
}
