import { MillraceError } from '../../errors.ts'
import { kafkaError, writeTxnMarkersApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import { partitionMayRetry } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import type { Asked } from './ask-each.ts'
import { askMetadata } from './describe-topics.ts'
import {
  askProducers,
  describeProducers,
  describeTransactions,
  listTransactions,
} from './describe-transactions.ts'
import type { PartitionProducers, ProducerDescription } from './describe-transactions.ts'
import { answerOf } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { byPartition } from './partitions.ts'
import { anyBrokerRoute, leaderRoute } from './routes.ts'

/** An open transaction in a partition, by where it begins. */
export interface OpenTransaction extends TopicPartition {
  readonly startOffset: number
}

/** An open transaction that no coordinator knows of: nobody will end it. */
export interface HangingTransaction extends OpenTransaction {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of its last record, in milliseconds since the epoch. */
  readonly lastTimestamp: number
}

export interface HangingTransactions {
  readonly transactions: readonly HangingTransaction[]
  /** Partitions that could not be looked into. */
  readonly unchecked: readonly (TopicPartition & { readonly error: MillraceError })[]
}

export function transactionKey(transaction: OpenTransaction): string {
  return `${transaction.startOffset} ${partitionKey(transaction)}`
}

function transactionName(transaction: OpenTransaction): string {
  return `transaction at ${transaction.startOffset} of ${partitionKey(transaction)}`
}

/**
 * Ends open transactions where they hang, with markers as their coordinator would write them.
 *
 * Every attempt looks first whether the transaction is still open. Without that, a second request after a lost
 * answer could abort the next transaction of the same producer, which may have the same epoch.
 */
export function abortTransactions(
  world: AdminWorld,
  call: AdminCall,
  transactions: ReadonlyMap<string, OpenTransaction>,
): Promise<Map<string, ItemResult<Done>>> {
  return askEach<OpenTransaction, Done>(call, transactions, {
    route: leaderRoute(call),
    effect: 'changes',
    name: transactionName,
    mayRetry: partitionMayRetry(world),
    async ask(broker, asked) {
      const partitions = asked.map(({ item }) => item)
      const found = await askProducers(call, broker, partitions)
      const answers = new Map<string, Done | MillraceError>()
      const aborts: Abort[] = []
      for (const each of asked) {
        const producers = found.get(partitionKey(each.item))
        if (producers instanceof MillraceError) answers.set(each.key, producers)
        else if (producers !== undefined) {
          const producer = openAt(producers, each.item.startOffset)
          if (producer === undefined) answers.set(each.key, notOpen(each, producers))
          else aborts.push({ asked: each, producer })
        }
      }
      const written = await Promise.all(aborts.map((abort) => writeMarker(call, broker, abort)))
      return new Map([...answers, ...written])
    },
  })
}

interface Abort {
  readonly asked: Asked<OpenTransaction>
  readonly producer: ProducerDescription
}

function openAt({ producers }: PartitionProducers, startOffset: number) {
  return producers.find(({ transactionStartOffset }) => transactionStartOffset === startOffset)
}

function notOpen(
  { item, answerWasLost }: Asked<OpenTransaction>,
  { producers }: PartitionProducers,
): Done | KafkaError {
  if (answerWasLost) return { answerWasLost }
  const open = producers.flatMap(({ transactionStartOffset }) => transactionStartOffset ?? [])
  const list = open.length === 0 ? 'none is open' : `open are those at ${open.join(', ')}`
  const detail = `no transaction begins there; ${list}`
  return new KafkaError(kafkaError.INVALID_TXN_STATE, transactionName(item), detail)
}

async function writeMarker(
  call: AdminCall,
  broker: Broker,
  { asked: { key, item }, producer }: Abort,
): Promise<[string, Done | MillraceError]> {
  const { producerId, producerEpoch, coordinatorEpoch = 0 } = producer
  const marker = {
    producerId,
    producerEpoch,
    // Abort. A coordinator that has never written here has no epoch, and any is taken.
    transactionResult: false,
    topics: [{ name: item.topic, partitionIndexes: [item.partition] }],
    coordinatorEpoch,
  }
  try {
    const answer = await call.request(broker, writeTxnMarkersApi, { markers: [marker] })
    const code = answer.markers[0]?.topics[0]?.partitions[0]?.errorCode
    if (code === 0) return [key, { answerWasLost: false }]
    const { UNKNOWN_SERVER_ERROR } = kafkaError
    return [key, new KafkaError(code ?? UNKNOWN_SERVER_ERROR, transactionName(item))]
  } catch (error) {
    call.throwIfAborted()
    if (error instanceof MillraceError) return [key, error]
    throw error
  }
}

/**
 * Looks for transactions that hang: open in a partition for long, and not among those that the coordinator
 * of their producer is about to end. One that ends while it is looked for may be among them; aborting it is
 * refused then.
 */
export async function findHangingTransactions(
  world: AdminWorld,
  call: AdminCall,
  topics: readonly string[] | undefined,
  openLongerThanMs: number,
): Promise<HangingTransactions> {
  const partitions = await partitionsOf(call, topics)
  const described = await describeProducers(world, call, partitions)
  const unchecked: (TopicPartition & { readonly error: MillraceError })[] = []
  const candidates: HangingTransaction[] = []
  const openedBefore = call.cluster.platform.clock.now() - openLongerThanMs
  for (const [key, { topic, partition }] of partitions) {
    const result = described.get(key)
    if (result?.error !== undefined) unchecked.push({ topic, partition, error: result.error })
    else if (result !== undefined) {
      const open = result.producers.flatMap((each) => openSince({ topic, partition }, each))
      candidates.push(...open.filter(({ lastTimestamp }) => lastTimestamp < openedBefore))
    }
  }
  const coordinated = await coordinatedBy(call, candidates)
  const isKnown = (each: HangingTransaction) =>
    coordinated.has(`${each.producerId} ${partitionKey(each)}`)
  return { transactions: candidates.filter((each) => !isKnown(each)), unchecked }
}

function openSince(
  partition: TopicPartition,
  { producerId, producerEpoch, lastTimestamp = 0, transactionStartOffset }: ProducerDescription,
): HangingTransaction[] {
  if (transactionStartOffset === undefined) return []
  const startOffset = transactionStartOffset
  return [{ ...partition, startOffset, producerId, producerEpoch, lastTimestamp }]
}

async function partitionsOf(
  call: AdminCall,
  names: readonly string[] | undefined,
): Promise<Map<string, TopicPartition>> {
  const asked = names?.map((name) => ({ name })) ?? null
  const topics = await askOne(call, anyBrokerRoute(call), (broker) =>
    askMetadata(call, broker, asked),
  )
  const refused = topics.find(({ errorCode }) => errorCode !== 0)
  if (names !== undefined && refused !== undefined) {
    throw new KafkaError(refused.errorCode, `topic ${refused.name ?? ''}`)
  }
  const partitions = topics.flatMap(({ name, partitions: some }) =>
    some.map(({ partitionIndex }) => ({ topic: name ?? '', partition: partitionIndex })),
  )
  return byPartition('topics', partitions)
}

/** The producers and partitions of transactions that a coordinator will end. */
async function coordinatedBy(
  call: AdminCall,
  candidates: readonly HangingTransaction[],
): Promise<Set<string>> {
  if (candidates.length === 0) return new Set()
  const producerIds = [...new Set(candidates.map(({ producerId }) => producerId))]
  const listed = await listTransactions(call, { producerIds })
  const ids = new Map<string, string>()
  for (const result of listed.values()) {
    for (const { transactionalId } of answerOf(result).transactions) {
      ids.set(transactionalId, transactionalId)
    }
  }
  const coordinated = new Set<string>()
  for (const result of (await describeTransactions(call, ids)).values()) {
    const { TRANSACTIONAL_ID_NOT_FOUND } = kafkaError
    const { error } = result
    // It was forgotten after it was listed, which happens only long after its last transaction ended.
    if (error instanceof KafkaError && error.kafkaCode === TRANSACTIONAL_ID_NOT_FOUND) continue
    const { producerId, partitions } = answerOf(result)
    for (const partition of partitions) coordinated.add(`${producerId} ${partitionKey(partition)}`)
  }
  return coordinated
}
