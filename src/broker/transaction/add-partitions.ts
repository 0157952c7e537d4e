import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { changeTo } from './decision.ts'
import type { Decision, TransactionView } from './decision.ts'
import { includesAll, includesPartition } from './partition-set.ts'
import type { PartitionSet, TopicPartition } from './partition-set.ts'
import { concurrent, otherEpoch, otherProducerId } from './refusals.ts'
import { withPartitions } from './transaction-metadata.ts'
import type {
  ProducerIdentity,
  TransactionMetadata,
  TransactionVersion,
} from './transaction-metadata.ts'
import { isPrepared } from './transaction-state.ts'

export interface AddPartitions extends ProducerIdentity {
  readonly partitions: PartitionSet
  readonly version: TransactionVersion
}

/** Adds partitions to the open transaction of a known transactional id, or opens one with them. */
export function decideAddPartitions(
  { metadata, changing }: TransactionView,
  request: AddPartitions,
  now: number,
): Decision {
  // First of all: the producer may hold the next producer id, which is not in place yet.
  if (changing) return concurrent(metadata.transactionalId)
  const refused = refuseProducer(metadata, request)
  if (refused !== undefined) return refused
  if (metadata.state === 'Ongoing' && includesAll(metadata.partitions, request.partitions)) {
    return { kind: 'done' }
  }
  return changeTo(withPartitions(metadata, request.partitions, request.version, now))
}

/**
 * Whether a producer may write to a partition that its transaction must have been told of before
 * (KIP-890, part 1). A change under way does not matter: until its markers are written, the
 * transaction is open on all its partitions.
 */
export function refuseWrite(
  metadata: TransactionMetadata,
  producer: ProducerIdentity,
  partition: TopicPartition,
): Refusal | undefined {
  const refused = refuseProducer(metadata, producer)
  if (refused !== undefined || includesPartition(metadata.partitions, partition)) return refused
  const name = `${partition.topic}-${partition.partition}`
  return refuse(
    'TRANSACTION_ABORTABLE',
    `${name} was not added to the transaction of '${metadata.transactionalId}'`,
  )
}

function refuseProducer(
  { transactionalId, producerId, producerEpoch, state }: TransactionMetadata,
  producer: ProducerIdentity,
): Refusal | undefined {
  if (producerId !== producer.producerId) return otherProducerId(transactionalId)
  if (producerEpoch !== producer.producerEpoch) return otherEpoch(transactionalId)
  return isPrepared(state) ? concurrent(transactionalId) : undefined
}
