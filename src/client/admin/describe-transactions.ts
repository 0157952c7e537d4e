import type { MillraceError } from '../../errors.ts'
import {
  describeProducersApi,
  describeTransactionsApi,
  listTransactionsApi,
} from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AdminCall, Need } from './admin-call.ts'
import { partitionMayRetry } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach } from './ask-each.ts'
import { askEveryBroker } from './ask-every-broker.ts'
import type { BrokerResults } from './ask-every-broker.ts'
import type { ItemResult } from './item-result.ts'
import { coordinatorRoute, leaderRoute } from './routes.ts'

/** Kafka's names of the states of transactions. */
export const transactionStates = {
  Empty: 0,
  Ongoing: 1,
  PrepareCommit: 2,
  PrepareAbort: 3,
  CompleteCommit: 4,
  CompleteAbort: 5,
  Dead: 6,
  PrepareEpochFence: 7,
} as const

export type TransactionState = keyof typeof transactionStates | 'unknown'

/** A transactional id as a list of them has it. */
export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: TransactionState
  readonly coordinatorId: number
}

/** The last transaction of a transactional id. */
export interface TransactionDescription {
  readonly transactionalId: string
  readonly coordinatorId: number
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** In milliseconds since the epoch; undefined while none is open. */
  readonly startedAtMs: number | undefined
  /** Those that it has written to and that have not been told of its end. */
  readonly partitions: readonly TopicPartition[]
}

/** A producer as a partition remembers it. */
export interface ProducerDescription {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of its last record. */
  readonly lastSequence: number | undefined
  readonly lastTimestamp: number | undefined
  /** Of the coordinator that has last ended a transaction of it here. */
  readonly coordinatorEpoch: number | undefined
  /** Where its open transaction begins; undefined without one. */
  readonly transactionStartOffset: number | undefined
}

/** The producers that a partition remembers. */
export interface PartitionProducers {
  readonly producers: readonly ProducerDescription[]
}

/** Which transactional ids are meant; what is left out is left open. */
export interface TransactionFilter {
  readonly states?: readonly (keyof typeof transactionStates)[]
  readonly producerIds?: readonly number[]
  /** Only those that are open for longer (Kafka 3.8). */
  readonly openLongerThanMs?: number
  /** A regular expression for the transactional id (Kafka 4.1). */
  readonly pattern?: string
}

/** The transactional ids that each broker coordinates. */
export function listTransactions(
  call: AdminCall,
  filter: TransactionFilter,
): Promise<BrokerResults<{ readonly transactions: readonly TransactionListing[] }>> {
  return askEveryBroker(call, async (broker) => {
    const { states = [], producerIds = [], openLongerThanMs, pattern } = filter
    const request = {
      stateFilters: states,
      producerIdFilters: producerIds,
      ...(openLongerThanMs !== undefined && { durationFilter: openLongerThanMs }),
      ...(pattern !== undefined && { transactionalIdPattern: pattern }),
    }
    const answer = await call.request(broker, listTransactionsApi, request, listNeed(filter))
    checkKafkaCode(answer.errorCode, `transactions of broker ${broker.nodeId}`)
    const transactions = answer.transactionStates.map((each) => ({
      transactionalId: each.transactionalId,
      producerId: each.producerId,
      state: readState(each.transactionState),
      coordinatorId: broker.nodeId,
    }))
    return { transactions }
  })
}

function listNeed({ openLongerThanMs, pattern }: TransactionFilter): Need {
  if (pattern !== undefined) {
    return { versionMin: 2, feature: 'transactions by a pattern of their id (Kafka 4.1)' }
  }
  if (openLongerThanMs !== undefined) {
    return { versionMin: 1, feature: 'transactions by how long they are open (Kafka 3.8)' }
  }
  return { feature: 'lists of transactions (Kafka 3.0)' }
}

function readState(state: string): TransactionState {
  const known = Object.keys(transactionStates) as (keyof typeof transactionStates)[]
  return known.find((name) => name === state) ?? 'unknown'
}

/** Describes transactions, by their coordinators. */
export function describeTransactions(
  call: AdminCall,
  transactionalIds: ReadonlyMap<string, string>,
): Promise<Map<string, ItemResult<TransactionDescription>>> {
  return askEach<string, TransactionDescription>(call, transactionalIds, {
    route: coordinatorRoute(call, 'transaction', (id) => id),
    effect: 'reads',
    name: (id) => `transaction ${id}`,
    async ask(broker, asked) {
      const request = { transactionalIds: asked.map(({ item }) => item) }
      const need = { feature: 'descriptions of transactions (Kafka 3.0)' }
      const answer = await call.request(broker, describeTransactionsApi, request, need)
      return new Map<string, TransactionDescription | MillraceError>(
        answer.transactionStates.map((each) => {
          const { errorCode, transactionalId: id } = each
          if (errorCode !== 0) return [id, new KafkaError(errorCode, `transaction ${id}`)]
          return [id, readTransaction(each, broker)]
        }),
      )
    },
  })
}

function readTransaction(
  found: ResponseOf<typeof describeTransactionsApi>['transactionStates'][number],
  broker: Broker,
): TransactionDescription {
  const { transactionStartTimeMs: startedAtMs } = found
  return {
    transactionalId: found.transactionalId,
    coordinatorId: broker.nodeId,
    state: readState(found.transactionState),
    producerId: found.producerId,
    producerEpoch: found.producerEpoch,
    timeoutMs: found.transactionTimeoutMs,
    startedAtMs: startedAtMs < 0 ? undefined : startedAtMs,
    partitions: found.topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  }
}

/** Describes the producers that partitions remember, by their leaders. */
export function describeProducers(
  world: AdminWorld,
  call: AdminCall,
  partitions: ReadonlyMap<string, TopicPartition>,
): Promise<Map<string, ItemResult<PartitionProducers>>> {
  return askEach<TopicPartition, PartitionProducers>(call, partitions, {
    route: leaderRoute(call),
    effect: 'reads',
    name: (partition) => `producers of ${partitionKey(partition)}`,
    mayRetry: partitionMayRetry(world),
    ask: (broker, asked) => {
      const some = asked.map(({ item }) => item)
      return askProducers(call, broker, some)
    },
  })
}

/** Asks the leader of partitions for the producers that they remember. */
export async function askProducers(
  call: AdminCall,
  broker: Broker,
  partitions: readonly TopicPartition[],
): Promise<Map<string, PartitionProducers | MillraceError>> {
  const topics = [...byTopic(partitions)].map(([name, some]) => ({
    name,
    partitionIndexes: [...new Set(some.map(({ partition }) => partition))],
  }))
  const answer = await call.request(broker, describeProducersApi, { topics })
  return new Map(
    answer.topics.flatMap(({ name: topic, partitions: found }) =>
      found.map((each): [string, PartitionProducers | MillraceError] => {
        const partition = { topic, partition: each.partitionIndex }
        const key = partitionKey(partition)
        if (each.errorCode === 0)
          return [key, { producers: each.activeProducers.map(readProducer) }]
        const what = `producers of ${partitionKey(partition)}`
        return [key, new KafkaError(each.errorCode, what, each.errorMessage)]
      }),
    ),
  )
}

type ProducerResponse = ResponseOf<
  typeof describeProducersApi
>['topics'][number]['partitions'][number]['activeProducers'][number]

function readProducer(found: ProducerResponse): ProducerDescription {
  const told = (value: number) => (value < 0 ? undefined : value)
  return {
    producerId: found.producerId,
    producerEpoch: found.producerEpoch,
    lastSequence: told(found.lastSequence),
    lastTimestamp: told(found.lastTimestamp),
    coordinatorEpoch: told(found.coordinatorEpoch),
    transactionStartOffset: told(found.currentTxnStartOffset),
  }
}
