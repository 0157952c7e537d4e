/** What the library's clients do while nodes fail, written down for the history checker. */
import { TransactionError, type Client, type Transaction } from '../../src/client/index.ts'
import type { Consumer } from '../../src/client/consumer/consumer.ts'
import type { ConsumerOptions } from '../../src/client/consumer/consumer-options.ts'
import type { FetchedBatch } from '../../src/client/consumer/fetched-batch.ts'
import { DeliveryError } from '../../src/client/producer/delivery-error.ts'
import type {
  HistoryRecorder,
  PolledRecord,
  RunningTransaction,
  TopicPartition,
} from '../../src/testing/index.ts'

/** What all of them need. */
export interface Workload {
  readonly client: Client
  readonly history: HistoryRecorder
  readonly name: string
  readonly goesOn: () => boolean
}

const pauseMs = 40
const burst = 5

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs))
}

export function polledOf(batches: readonly FetchedBatch[]): PolledRecord[] {
  return batches.flatMap((batch) =>
    [...batch].map(({ offset, value }) => ({
      ...{ topic: batch.topic, partition: batch.partition, offset, value: String(value) },
    })),
  )
}

/** An idempotent producer that does not wait for one record before it sends the next. */
export async function runProducer(
  { client, history, name, goesOn }: Workload,
  topic: string,
  partitions: number,
): Promise<void> {
  await using producer = client.producer({ compression: 'lz4' })
  const sends: Promise<void>[] = []
  const send = async (value: string, partition: number): Promise<void> => {
    const noted = history.begin({ process: name, kind: 'send', topic, partition, value })
    try {
      const { offset } = await producer.send({ topic, partition, value })
      noted.ok({ offset: offset < 0 ? undefined : offset })
    } catch (error) {
      if (error instanceof DeliveryError && error.definitelyNotWritten) noted.failed(error)
      else noted.unknown(error)
    }
  }
  for (let number = 0; goesOn(); number++) {
    sends.push(send(`${name}-${number}`, number % partitions))
    if (number % burst === 0) await pause()
  }
  await Promise.all(sends)
}

/** A member of a group that commits what it has handled. */
export async function runCommittingMember(
  { client, history, name: process, goesOn }: Workload,
  topic: string,
  options: ConsumerOptions & { readonly groupId: string },
): Promise<void> {
  const { groupId: group } = options
  await using consumer = client.consumer(options)
  history.note({ process, kind: 'subscribe', topics: [topic] })
  consumer.subscribe(topic)
  while (goesOn()) {
    const poll = history.begin({ process, kind: 'poll', group })
    const batches = await consumer.poll({ timeoutMs: 500 })
    const records = polledOf(batches)
    poll.ok({ records })
    for (const { value, ...place } of records) {
      history.begin({ process, kind: 'handler', group, key: String(value), ...place }).ok()
    }
    if (batches.length > 0) await commit(consumer, history, process, group, batches)
  }
}

async function commit(
  consumer: Consumer,
  history: HistoryRecorder,
  process: string,
  group: string,
  batches: readonly FetchedBatch[],
): Promise<void> {
  const offsets = batches.map(({ topic, partition, nextOffset }) => ({
    ...{ topic, partition, offset: nextOffset },
  }))
  const noted = history.begin({ process, kind: 'commit', group, offsets })
  try {
    await consumer.commit(offsets)
    noted.ok()
  } catch (error) {
    noted.unknown(error)
  }
}

/** A member of a group that makes a record of each record, in transactions. */
export async function runTransformer(
  workload: Workload,
  source: string,
  target: string,
  options: ConsumerOptions & { readonly groupId: string },
): Promise<void> {
  // A member whose transaction ended unknown does not know where it is: another takes its seat.
  for (let seat = 0; workload.goesOn(); seat++) {
    await transformUntilUnknown({ ...workload, name: `${workload.name}.${seat}` }, source, target, {
      ...options,
      transactionalId: workload.name,
    })
  }
}

async function transformUntilUnknown(
  workload: Workload,
  source: string,
  target: string,
  { transactionalId, ...options }: ConsumerOptions & { groupId: string; transactionalId: string },
): Promise<void> {
  const { client, history, goesOn, name: process } = workload
  /** The number of the assignment by which a partition is held. */
  const held = new Map<number, number>()
  let assignments = 0
  let working: Promise<Outcome> | undefined
  const letGo = (partitions: readonly TopicPartition[]): void => {
    for (const { partition } of partitions) held.delete(partition)
  }
  await using producer = client.transactionalProducer({ transactionalId })
  await using consumer = client.consumer({
    ...options,
    onAssigned: (partitions) => {
      assignments += 1
      for (const { partition } of partitions) held.set(partition, assignments)
    },
    onRevoked: async (partitions) => {
      await working
      letGo(partitions)
    },
    onLost: letGo,
  })
  history.note({ process, kind: 'subscribe', topics: [source] })
  consumer.subscribe(source)
  while (goesOn()) {
    const batches = await consumer.poll({ maxRecords: 30, timeoutMs: 500 })
    if (batches.length === 0) continue
    const heldBy = new Map(held)
    working = transform(workload, producer, consumer, target, options.groupId, batches)
    const outcome = await working
    if (outcome === 'unknown') return
    if (outcome === 'committed') continue
    for (const batch of batches) {
      const isStillOurs = held.get(batch.partition) === heldBy.get(batch.partition)
      if (held.has(batch.partition) && isStillOurs) consumer.seek(batch, batch.firstOffset)
    }
  }
}

type Outcome = 'committed' | 'not committed' | 'unknown'

let attempts = 0

async function transform(
  { history, name: process }: Workload,
  producer: ReturnType<Client['transactionalProducer']>,
  consumer: Consumer,
  target: string,
  group: string,
  batches: readonly FetchedBatch[],
): Promise<Outcome> {
  const noted = history.begin({ process, kind: 'transaction' })
  const records = polledOf(batches)
  noted.polled(records)
  attempts += 1
  const attempt = attempts
  let transaction: Transaction
  try {
    transaction = await producer.begin()
  } catch (error) {
    noted.failed(error)
    return error instanceof TransactionError && error.action === 'close'
      ? 'unknown'
      : 'not committed'
  }
  const sends = records.map(async ({ partition, value }) => {
    const made = { topic: target, partition, value: `${value}>${attempt}` }
    const sent = noted.send(made)
    sent.acknowledged((await transaction.send(made)).offset)
  })
  const offsets = batches.map(({ topic, partition, nextOffset, leaderEpoch }) => ({
    ...{ topic, partition, offset: nextOffset, leaderEpoch, metadata: '' },
  }))
  noted.offsets(group, offsets)
  const adding = addOffsets(transaction, consumer, offsets)
  const results = await Promise.allSettled([...sends, adding])
  return end(
    transaction,
    results.every(({ status }) => status === 'fulfilled'),
    noted,
  )
}

async function addOffsets(
  transaction: Transaction,
  consumer: Consumer,
  offsets: Parameters<Transaction['sendOffsets']>[1],
): Promise<void> {
  // Throws while the member has no generation to commit in.
  await transaction.sendOffsets(consumer.groupMetadata(), offsets)
}

/** Does what the errors say, until it is known what became of the transaction or the producer is at its end. */
async function end(
  transaction: Transaction,
  isWhole: boolean,
  noted: RunningTransaction,
): Promise<Outcome> {
  let isCommit = isWhole
  for (;;) {
    try {
      await (isCommit ? transaction.commit() : transaction.abort())
      if (isCommit) noted.ok()
      else noted.failed('aborted')
      return isCommit ? 'committed' : 'not committed'
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error
      if (error.action === 'retry') continue
      if (error.action === 'abort') {
        isCommit = false
        continue
      }
      if (error.mayBeCommitted) noted.unknown(error)
      else noted.failed(error)
      // Its producer is at its end, whatever became of the transaction.
      return 'unknown'
    }
  }
}

/** Reads partitions from their beginning to their end, as readers of committed records do. */
export async function readToEnd(
  { client, history, name: process }: Pick<Workload, 'client' | 'history' | 'name'>,
  partitions: readonly TopicPartition[],
): Promise<PolledRecord[]> {
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  history.note({ process, kind: 'assign', partitions })
  consumer.assign(partitions)
  const ends = await consumer.endOffsets(partitions)
  const read: PolledRecord[] = []
  while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
    const poll = history.begin({ process, kind: 'poll' })
    const records = polledOf(await consumer.poll({ timeoutMs: 500 }))
    poll.ok({ records })
    read.push(...records)
  }
  return read
}
