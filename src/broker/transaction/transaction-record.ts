import { ProtocolError } from '../../errors.ts'
import { Reader, Writer, transactionKey, transactionValue } from '../../protocol/index.ts'
import type { StateRecord } from '../coordinator-log.ts'
import { noPartitions } from './partition-set.ts'
import type { PartitionSet } from './partition-set.ts'
import { noProducerEpoch, noProducerId } from './transaction-metadata.ts'
import type { TransactionMetadata, TransactionVersion } from './transaction-metadata.ts'
import { isIdle, isPrepared, transactionStates } from './transaction-state.ts'

/**
 * Kafka's format of `__transaction_state`:
 *
 *   key   => int16 type (0), TransactionLogKey
 *   value => int16 version, TransactionLogValue; null once the id has expired
 *
 * Kafka 4.1 leaves the fields for the previous and the next producer id empty. We fill them: without
 * the next one, a coordinator that restarts before the last transaction of a producer id is complete
 * would go on with an id that the client was told to forget.
 */
const transactionKeyType = 0

/** What a record says: the state of an id, or that it is gone. */
export interface StoredTransaction {
  readonly transactionalId: string
  readonly metadata: TransactionMetadata | undefined
}

export function transactionRecord(
  metadata: TransactionMetadata,
  clusterVersion: TransactionVersion,
): StateRecord {
  const version = clusterVersion === 0 ? 0 : 1
  const value = new Writer()
  value.int16(version)
  const tagged =
    version === 0
      ? {}
      : {
          previousProducerId: metadata.previousProducerId,
          nextProducerId: metadata.nextProducerId,
          clientTransactionVersion: metadata.version,
        }
  transactionValue.write(
    value,
    {
      ...tagged,
      producerId: metadata.producerId,
      producerEpoch: metadata.producerEpoch,
      transactionTimeoutMs: metadata.timeoutMs,
      transactionStatus: transactionStates.indexOf(metadata.state),
      transactionPartitions:
        metadata.state === 'Empty'
          ? null
          : [...metadata.partitions].map(([topic, ids]) => ({ topic, partitionIds: [...ids] })),
      transactionLastUpdateTimestampMs: metadata.updateTimestamp,
      transactionStartTimestampMs: metadata.startTimestamp,
    },
    version,
  )
  return { key: keyOf(metadata.transactionalId), value: value.toBuffer() }
}

/** The record after which a transactional id was never there. */
export function tombstone(transactionalId: string): StateRecord {
  return { key: keyOf(transactionalId), value: null }
}

function keyOf(transactionalId: string): Buffer {
  const key = new Writer()
  key.int16(transactionKeyType)
  transactionKey.write(key, { transactionalId }, 0)
  return key.toBuffer()
}

/** Reads a record; undefined for a type of record that we do not know, which Kafka skips as well. */
export function readTransactionRecord(record: StateRecord): StoredTransaction | undefined {
  const key = new Reader(record.key)
  if (key.int16() !== transactionKeyType) return undefined
  const { transactionalId } = transactionKey.read(key, 0)
  if (record.value === null) return { transactionalId, metadata: undefined }
  return { transactionalId, metadata: readMetadata(transactionalId, record.value) }
}

function readMetadata(transactionalId: string, buffer: Buffer): TransactionMetadata {
  const reader = new Reader(buffer)
  const value = transactionValue.read(reader, reader.int16())
  const state = transactionStates[value.transactionStatus]
  if (state === undefined || !(state === 'Ongoing' || isPrepared(state) || isIdle(state))) {
    throw new ProtocolError(
      `state (${value.transactionStatus}) of transactional id '${transactionalId}' must be 0 to 5`,
    )
  }
  const version: TransactionVersion = value.clientTransactionVersion >= 2 ? 2 : 0
  const { producerId, producerEpoch, previousProducerId } = value
  const metadata: TransactionMetadata = {
    transactionalId,
    state,
    producerId,
    previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch,
    lastProducerEpoch: noProducerEpoch,
    timeoutMs: value.transactionTimeoutMs,
    partitions: readPartitions(value.transactionPartitions),
    startTimestamp: value.transactionStartTimestampMs,
    updateTimestamp: value.transactionLastUpdateTimestampMs,
    version,
  }
  return { ...metadata, lastProducerEpoch: lastEpochOf(metadata) }
}

function readPartitions(
  topics: readonly { topic: string; partitionIds: readonly number[] }[] | null,
): PartitionSet {
  if (topics === null || topics.length === 0) return noPartitions
  return new Map(topics.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]))
}

/**
 * Kafka does not store the last epoch. Where a transaction of version 2 has been ended it follows
 * from the epoch that ended it, and a producer that was fenced by a timeout can go on after a restart
 * just as before it.
 */
function lastEpochOf(metadata: TransactionMetadata): number {
  const { state, version, producerId, previousProducerId, producerEpoch } = metadata
  if (version < 2 || state === 'Empty' || state === 'Ongoing') return noProducerEpoch
  const rotated = previousProducerId !== noProducerId && previousProducerId !== producerId
  if (rotated && producerEpoch === 0) return 0x7fff - 1
  return producerEpoch - 1
}
