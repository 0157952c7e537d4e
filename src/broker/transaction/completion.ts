import type { Clock } from '../../platform/index.ts'
import type { Log } from '../../observe/index.ts'
import type { LoadedPartition } from './loaded-partition.ts'
import type { TransactionMarker, WriteMarker } from './marker.ts'
import { partitionSet, partitionsOf } from './partition-set.ts'
import type { TopicPartition } from './partition-set.ts'
import type { Transaction } from './transaction.ts'
import { completed } from './transaction-metadata.ts'
import type { TransactionVersion } from './transaction-metadata.ts'
import { transactionRecord } from './transaction-record.ts'

export interface CompletionPorts {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly partitionExists: (topic: string, partition: number) => boolean
  readonly writeMarker: WriteMarker
  readonly clusterVersion: () => TransactionVersion
}

const retryDelayMs = 100
const retryDelayMsMax = 10_000

/**
 * Brings a prepared transaction to its end: markers first, then the record that says so. Both are
 * tried until they succeed, the partitions are deleted, or the partition of the transaction log goes
 * to another coordinator, which starts over. All of it can be repeated: a partition without an open
 * transaction takes another marker without consequence.
 */
export async function completeTransaction(
  loaded: LoadedPartition,
  transaction: Transaction,
  ports: CompletionPorts,
): Promise<void> {
  const wait = backoff(loaded)
  let unmarked = [...partitionsOf(transaction.metadata.partitions)]
  for (;;) {
    unmarked = await writeMarkers(loaded, transaction, unmarked, ports)
    transaction.unmarked = partitionSet(unmarked)
    if (unmarked.length === 0) break
    await wait()
    if (!loaded.active) return
  }
  for (;;) {
    const next = completed(transaction.metadata, ports.clock.now())
    const outcome = await loaded.append([transactionRecord(next, ports.clusterVersion())])
    if (outcome === 'durable') transaction.settle(next)
    if (outcome !== 'failed') return
    await wait()
  }
}

function backoff(loaded: LoadedPartition): () => Promise<void> {
  let delayMs = retryDelayMs
  return async () => {
    await loaded.pause(delayMs)
    delayMs = Math.min(2 * delayMs, retryDelayMsMax)
  }
}

/** Writes the markers side by side; answers the partitions that must be tried again. */
async function writeMarkers(
  loaded: LoadedPartition,
  { metadata }: Transaction,
  partitions: readonly TopicPartition[],
  ports: CompletionPorts,
): Promise<TopicPartition[]> {
  const marker: TransactionMarker = {
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    coordinatorEpoch: loaded.coordinatorEpoch,
    commit: metadata.state === 'PrepareCommit',
    transactionVersion: metadata.version,
  }
  const ended = await Promise.all(
    partitions.map((partition) =>
      endInPartition(partition, marker, metadata.transactionalId, ports),
    ),
  )
  return partitions.filter((_, index) => ended[index] === false)
}

async function endInPartition(
  { topic, partition }: TopicPartition,
  marker: TransactionMarker,
  transactionalId: string,
  ports: CompletionPorts,
): Promise<boolean> {
  // A deleted partition has nothing left to end, and must not hold up the others.
  if (!ports.partitionExists(topic, partition)) return true
  const fields = { transactionalId, topic, partition, commit: marker.commit }
  try {
    const refusal = await ports.writeMarker(topic, partition, marker)
    if (refusal === undefined) return true
    // The partition has seen a later epoch of the producer: this transaction was ended there by
    // somebody else's marker (an operator's), and another one would hit the next transaction.
    if (refusal.error === 'INVALID_PRODUCER_EPOCH') {
      ports.log('warn', 'a transaction was ended by another marker than its own', fields)
      return true
    }
    ports.log('warn', `a marker was refused, trying again: ${refusal.message}`, fields)
  } catch (error) {
    ports.log('warn', `a marker could not be written, trying again: ${String(error)}`, fields)
  }
  return false
}
