import { noPartitions, union } from './partition-set.ts'
import type { PartitionSet } from './partition-set.ts'
import { assertSuccessor } from './transaction-state.ts'
import type { TransactionState } from './transaction-state.ts'

/**
 * How a transaction is run: 0 and 1 as before KIP-890, 2 with a new epoch after every transaction.
 * It is a feature of the cluster, and a choice of each request.
 */
export type TransactionVersion = 0 | 1 | 2

export const noProducerId = -1
export const noProducerEpoch = -1

const producerEpochMax = 0x7fff

/** What is durable of a transactional id. A change makes another one. */
export interface TransactionMetadata {
  readonly transactionalId: string
  readonly state: TransactionState
  readonly producerId: number
  /** The producer id before the last change. Tells a retry from before a new producer id. */
  readonly previousProducerId: number
  /** What takes the place of a producer id without epochs left, once its last transaction is complete. */
  readonly nextProducerId: number
  /** -1 until the first InitProducerId is durable. */
  readonly producerEpoch: number
  /** The epoch that the producer had before the bump it was told of. Tells a retry of that bump. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: PartitionSet
  /** -1 while there was no transaction. */
  readonly startTimestamp: number
  readonly updateTimestamp: number
  /** How the current or last transaction is run. */
  readonly version: TransactionVersion
}

/**
 * Whether the producer id has no epoch left for a producer. The very last epoch is kept back, so
 * that whoever holds the one before can still be fenced.
 */
export function isExhausted(producerEpoch: number): boolean {
  return producerEpoch >= producerEpochMax - 1
}

function change(
  metadata: TransactionMetadata,
  update: Partial<TransactionMetadata> & { readonly state: TransactionState },
): TransactionMetadata {
  assertSuccessor(metadata.state, update.state)
  return { ...metadata, previousProducerId: metadata.producerId, ...update }
}

/** A transactional id that nobody has used yet. */
export function newTransaction(
  transactionalId: string,
  producerId: number,
  timeoutMs: number,
  now: number,
): TransactionMetadata {
  return {
    transactionalId,
    state: 'Empty',
    producerId,
    previousProducerId: noProducerId,
    nextProducerId: noProducerId,
    producerEpoch: noProducerEpoch,
    lastProducerEpoch: noProducerEpoch,
    timeoutMs,
    partitions: noPartitions,
    startTimestamp: -1,
    updateTimestamp: now,
    version: 0,
  }
}

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** InitProducerId: the identity that the producer goes on with. */
export function initialised(
  metadata: TransactionMetadata,
  identity: ProducerIdentity & Pick<TransactionMetadata, 'lastProducerEpoch'>,
  timeoutMs: number,
  now: number,
): TransactionMetadata {
  const { producerId, producerEpoch } = metadata
  const again = producerId === identity.producerId && producerEpoch === identity.producerEpoch
  return change(metadata, {
    ...identity,
    state: 'Empty',
    // The answer to a retry may be lost as well: the next one must be recognised just as this one.
    previousProducerId: again ? metadata.previousProducerId : producerId,
    timeoutMs,
    partitions: noPartitions,
    startTimestamp: -1,
    updateTimestamp: now,
  })
}

/** Opens a transaction, or adds partitions to the open one. */
export function withPartitions(
  metadata: TransactionMetadata,
  partitions: PartitionSet,
  version: TransactionVersion,
  now: number,
): TransactionMetadata {
  const open = metadata.state === 'Ongoing'
  return change(metadata, {
    state: 'Ongoing',
    partitions: union(metadata.partitions, partitions),
    startTimestamp: open ? metadata.startTimestamp : now,
    updateTimestamp: now,
    version,
  })
}

/** Decides the outcome. Under version 2 the markers, and the producer from then on, have a new epoch. */
export function prepared(
  metadata: TransactionMetadata,
  outcome: 'PrepareCommit' | 'PrepareAbort',
  version: TransactionVersion,
  nextProducerId: number,
  now: number,
): TransactionMetadata {
  const bump = version >= 2
  return change(metadata, {
    state: outcome,
    nextProducerId,
    producerEpoch: metadata.producerEpoch + (bump ? 1 : 0),
    lastProducerEpoch: bump ? metadata.producerEpoch : metadata.lastProducerEpoch,
    // Only version 2 gets here without an open transaction, to abort nothing.
    startTimestamp: metadata.state === 'Ongoing' ? metadata.startTimestamp : now,
    updateTimestamp: now,
    version,
  })
}

/**
 * Decides to abort against the will of the producer: it finds its epoch too old. Under version 2 it
 * can still tell that this was its own transaction, and go on with the epoch after it.
 */
export function fenced(
  metadata: TransactionMetadata,
  version: TransactionVersion,
  now: number,
): TransactionMetadata {
  return change(metadata, {
    state: 'PrepareAbort',
    nextProducerId: noProducerId,
    producerEpoch: metadata.producerEpoch + 1,
    lastProducerEpoch: version >= 2 ? metadata.producerEpoch : noProducerEpoch,
    updateTimestamp: now,
    version: version >= 2 ? version : 0,
  })
}

/** All markers are durable. */
export function completed(metadata: TransactionMetadata, now: number): TransactionMetadata {
  const rotates = metadata.version >= 2 && metadata.nextProducerId !== noProducerId
  return change(metadata, {
    state: metadata.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId: rotates ? metadata.nextProducerId : metadata.producerId,
    producerEpoch: rotates ? 0 : metadata.producerEpoch,
    nextProducerId: noProducerId,
    partitions: noPartitions,
    updateTimestamp: now,
  })
}
