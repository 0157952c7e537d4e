import type { MillraceError } from '../../errors.ts'
import { electLeadersApi, kafkaError } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import { onlyAnswer } from './item-result.ts'
import type { PartitionResult } from './item-result.ts'
import { byPartition, partitionResults } from './partitions.ts'
import { controllerRoute } from './routes.ts'

/** What became of the leader of a partition. */
export interface Election {
  /** False: the partition was led by whom the election would have chosen, already. */
  readonly wasNeeded: boolean
}

const electionTypes = { preferred: 0, unclean: 1 } as const

type ElectionType = keyof typeof electionTypes

/** Elections of leaders. */
export class ElectionAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /** Makes the first of the replicas the leader, if it is in sync. */
  async preferred(partition: TopicPartition, options: AdminCallOptions = {}): Promise<Election> {
    return onlyAnswer(await this.preferredOfMany([partition], options))
  }

  /**
   * Makes the first of the replicas the leader, of partitions or of `'all'` that the cluster has: of those
   * only the ones whose leader changed, or could not, are in the answer.
   *
   * @example
   * for (const { topic, partition, error } of await admin.elections.preferredOfMany('all')) {
   *   if (error !== undefined) console.warn(topic, partition, error.message)
   * }
   */
  preferredOfMany(
    partitions: readonly TopicPartition[] | 'all',
    options: AdminCallOptions = {},
  ): Promise<PartitionResult<Election>[]> {
    return this.#elect('preferred', partitions, options)
  }

  /**
   * Makes a replica the leader that is not in sync, of a partition that has no leader. Records that only
   * the others have are lost.
   */
  async unclean(partition: TopicPartition, options: AdminCallOptions = {}): Promise<Election> {
    return onlyAnswer(await this.uncleanOfMany([partition], options))
  }

  /** The same for partitions, or for `'all'` that have no leader. Records are lost. */
  uncleanOfMany(
    partitions: readonly TopicPartition[] | 'all',
    options: AdminCallOptions = {},
  ): Promise<PartitionResult<Election>[]> {
    return this.#elect('unclean', partitions, options)
  }

  #elect(
    type: ElectionType,
    partitions: readonly TopicPartition[] | 'all',
    options: AdminCallOptions,
  ): Promise<PartitionResult<Election>[]> {
    return adminCall(this.#world.cluster, `elections.${type}`, options, [], async (call) =>
      partitions === 'all'
        ? electInAll(call, type)
        : electIn(call, type, byPartition('partitions', partitions)),
    )
  }
}

async function electIn(
  call: AdminCall,
  type: ElectionType,
  partitions: ReadonlyMap<string, TopicPartition>,
): Promise<PartitionResult<Election>[]> {
  const results = await askEach<TopicPartition, Election>(call, partitions, {
    route: controllerRoute(call),
    effect: 'changes',
    name: (partition) => `election in ${partitionKey(partition)}`,
    async ask(broker, asked) {
      const some = asked.map(({ item }) => item)
      return new Map(
        (await askElection(call, broker, type, some)).map(({ answer, ...partition }) => [
          partitionKey(partition),
          answer,
        ]),
      )
    },
  })
  return partitionResults(partitions, results)
}

async function electInAll(
  call: AdminCall,
  type: ElectionType,
): Promise<PartitionResult<Election>[]> {
  const found = await askOne(call, controllerRoute(call), (broker) =>
    askElection(call, broker, type, null),
  )
  return found.map(({ topic, partition, answer }) =>
    'wasNeeded' in answer ? { topic, partition, ...answer } : { topic, partition, error: answer },
  )
}

type ElectionAnswer = TopicPartition & { readonly answer: Election | MillraceError }

async function askElection(
  call: AdminCall,
  broker: Broker,
  type: ElectionType,
  partitions: readonly TopicPartition[] | null,
): Promise<ElectionAnswer[]> {
  const request = {
    electionType: electionTypes[type],
    topicPartitions:
      partitions === null
        ? null
        : [...byTopic(partitions)].map(([topic, some]) => ({
            topic,
            partitions: some.map(({ partition }) => partition),
          })),
    timeoutMs: call.brokerTimeoutMs,
  }
  const answer = await call.request(broker, electLeadersApi, request, { versionMin: 1 })
  checkKafkaCode(answer.errorCode, `${type} election`)
  return answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId: partition, errorCode, errorMessage }) => ({
      topic,
      partition,
      answer: readElection({ topic, partition }, errorCode, errorMessage),
    })),
  )
}

function readElection(
  partition: TopicPartition,
  errorCode: number,
  errorMessage: string | null,
): Election | KafkaError {
  if (errorCode === 0) return { wasNeeded: true }
  // Also what a repeated request is answered when the answer to the first was lost.
  if (errorCode === kafkaError.ELECTION_NOT_NEEDED) return { wasNeeded: false }
  return new KafkaError(errorCode, `election in ${partitionKey(partition)}`, errorMessage)
}
