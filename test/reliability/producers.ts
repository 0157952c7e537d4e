import {
  addPartitionsToTxnApi,
  endTxnApi,
  findCoordinatorApi,
  initProducerIdApi,
  isRetriable,
  kafkaError,
  kafkaErrorName,
  produceApi,
} from '../../src/protocol/index.ts'
import { RecordBatchBuilder } from '../../src/protocol/records/index.ts'
import type { HistoryRecorder } from '../../src/testing/index.ts'
import { ConnectionLost, untilAnswered } from './broker-session.ts'
import type { BrokerSession } from './broker-session.ts'

export interface ProducerWorkload {
  readonly name: string
  readonly session: BrokerSession
  readonly history: HistoryRecorder
  readonly topic: string
  readonly partitions: number
  /** Whether to go on. */
  readonly goesOn: () => boolean
  readonly pauseMs: number
}

export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface Write extends Identity {
  readonly partition: number
  readonly value: string
  readonly sequence: number
  readonly transactionalId: string | null
}

/** From version 12 on a producer adds partitions to its transaction by writing to them. */
const produceVersion = { idempotent: 12, transactional: 11 } as const
const timeoutMs = 30_000
const coordinationErrors: ReadonlySet<number> = new Set([
  kafkaError.CONCURRENT_TRANSACTIONS,
  kafkaError.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaError.COORDINATOR_NOT_AVAILABLE,
  kafkaError.NOT_COORDINATOR,
])

/**
 * An idempotent producer of single records. A record whose answer is lost is sent again under its
 * sequence number until the answer is known: so every record must be there once.
 */
export async function runIdempotentProducer(workload: ProducerWorkload): Promise<void> {
  const { session, history, name, topic, partitions, goesOn } = workload
  const { clock, random } = session.platform
  const identity = await initProducer(session, null)
  const sequences = new Map<number, number>()
  for (let number = 0; goesOn(); number++) {
    const partition = random.integer(partitions)
    const sequence = sequences.get(partition) ?? 0
    const value = `${name}-${number}`
    const sent = history.begin({ kind: 'send', process: name, topic, partition, value })
    const write = { ...identity, partition, value, sequence, transactionalId: null }
    const answer = await untilAnswered(session, () => writeUntilDecided(workload, write))
    if (answer.errorCode !== kafkaError.NONE) {
      // Whatever the reason: an earlier attempt may have been written.
      sent.unknown(kafkaErrorName(answer.errorCode))
      throw new Error(`${value} was refused: ${kafkaErrorName(answer.errorCode)}`)
    }
    sent.ok({ offset: answer.baseOffset })
    sequences.set(partition, sequence + 1)
    await clock.sleep(random.integer(workload.pauseMs))
  }
}

/** A transactional producer: a few records to several partitions, then a commit or an abort. */
export async function runTransactionalProducer(
  workload: ProducerWorkload & { readonly transactionalId: string },
): Promise<void> {
  const { session, name, goesOn, transactionalId } = workload
  const { clock, random } = session.platform
  await findTransactionCoordinator(session, transactionalId)
  let identity = await initProducer(session, transactionalId)
  for (let number = 0; goesOn(); number++) {
    const known = await runTransaction(workload, identity, `${name}-${number}`)
    // Sequences and transactions start anew with the epoch; what is unknown is settled by it.
    identity = await initProducer(session, transactionalId)
    if (known) await clock.sleep(random.integer(workload.pauseMs))
  }
}

/** Answers whether the outcome is known. */
async function runTransaction(
  workload: ProducerWorkload & { readonly transactionalId: string },
  identity: Identity,
  name: string,
): Promise<boolean> {
  const { session, history, topic, partitions, transactionalId } = workload
  const { random } = session.platform
  const transaction = history.begin({ kind: 'transaction', process: workload.name })
  const count = 1 + random.integer(4)
  const used = new Map<number, number>()
  let ending = false
  try {
    for (let i = 0; i < count; i++) {
      const partition = random.integer(partitions)
      if (!used.has(partition)) await addPartition(workload, identity, partition)
      const sequence = used.get(partition) ?? 0
      const value = `${name}.${i}`
      const sent = transaction.send({ topic, partition, value })
      const write = { ...identity, partition, value, sequence, transactionalId }
      const answer = await writeUntilDecided(workload, write)
      if (answer.errorCode !== kafkaError.NONE) throw new Refused(answer.errorCode)
      sent.acknowledged(answer.baseOffset)
      used.set(partition, sequence + 1)
    }
    const commits = random.integer(3) > 0
    ending = commits
    await endTransaction(session, transactionalId, identity, commits)
    if (commits) transaction.ok()
    else transaction.failed('aborted on purpose')
    return true
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof ConnectionLost)) throw error
    // Before its commit was asked for a transaction can only be aborted, by whoever fences it.
    if (ending) transaction.unknown(error)
    else transaction.failed(error)
    return false
  }
}

/** The broker has refused a step of a transaction for good. */
export class Refused extends Error {
  override readonly name = 'Refused'

  constructor(errorCode: number) {
    super(kafkaErrorName(errorCode))
  }
}

/** As with real clients, the first one who looks for a coordinator has its topic made. */
export async function findTransactionCoordinator(
  session: BrokerSession,
  transactionalId: string,
): Promise<void> {
  const key = { key: transactionalId, keyType: 1 }
  await coordinated(session, () => session.request(findCoordinatorApi, 3, key))
}

export async function initProducer(
  session: BrokerSession,
  transactionalId: string | null,
): Promise<Identity> {
  return coordinated(session, () =>
    session.request(initProducerIdApi, 4, { transactionalId, transactionTimeoutMs: timeoutMs }),
  )
}

interface TransactionalStep {
  readonly session: BrokerSession
  readonly topic: string
  readonly transactionalId: string
}

export async function addPartition(
  { session, topic, transactionalId }: TransactionalStep,
  { producerId, producerEpoch }: Identity,
  partition: number,
): Promise<void> {
  const topics = [{ name: topic, partitions: [partition] }]
  await coordinated(session, async () => {
    const response = await session.request(addPartitionsToTxnApi, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: topics,
    })
    const result = response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]
    return { errorCode: result?.partitionErrorCode ?? kafkaError.UNKNOWN_SERVER_ERROR }
  })
}

export async function endTransaction(
  session: BrokerSession,
  transactionalId: string,
  { producerId, producerEpoch }: Identity,
  committed: boolean,
): Promise<void> {
  await coordinated(session, () =>
    session.request(endTxnApi, 4, { transactionalId, producerId, producerEpoch, committed }),
  )
}

/** Repeats a request to the coordinator until it is answered with success or a refusal for good. */
export async function coordinated<T extends { readonly errorCode: number }>(
  session: BrokerSession,
  request: () => Promise<T>,
): Promise<T> {
  const { clock, random } = session.platform
  for (;;) {
    const response = await untilAnswered(session, request)
    if (response.errorCode === kafkaError.NONE) return response
    if (!coordinationErrors.has(response.errorCode)) throw new Refused(response.errorCode)
    await clock.sleep(5 + random.integer(50))
  }
}

export interface WriteAnswer {
  readonly errorCode: number
  readonly baseOffset: number
}

/** Sends a batch of one record; what may succeed later is sent again. */
export async function writeUntilDecided(
  { session, topic }: Pick<ProducerWorkload, 'session' | 'topic'>,
  write: Write,
): Promise<WriteAnswer> {
  const { clock, random } = session.platform
  for (;;) {
    const answer = await writeOnce({ session, topic }, write)
    if (!isRetriable(answer.errorCode)) return answer
    await clock.sleep(20 + random.integer(100))
  }
}

/** Sends a batch of one record, once. */
export async function writeOnce(
  { session, topic }: Pick<ProducerWorkload, 'session' | 'topic'>,
  { producerId, producerEpoch, sequence, partition, transactionalId, value }: Write,
): Promise<WriteAnswer> {
  const builder = new RecordBatchBuilder()
  const timestamp = session.platform.clock.now()
  builder.append({ key: null, value: Buffer.from(value), timestamp })
  const records = builder.build({
    producerId,
    producerEpoch,
    baseSequence: sequence,
    isTransactional: transactionalId !== null,
  })
  const version = produceVersion[transactionalId === null ? 'idempotent' : 'transactional']
  const response = await session.request(produceApi, version, {
    transactionalId,
    acks: -1,
    timeoutMs,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
  const answer = response.responses[0]?.partitionResponses[0]
  if (answer === undefined) throw new Error('Produce was answered without the partition')
  return answer
}
