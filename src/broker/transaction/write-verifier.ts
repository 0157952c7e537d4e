import type { Clock } from '../../platform/index.ts'
import { offsetsTopic } from '../cluster/topic-name.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { refuseWrite } from './add-partitions.ts'
import type { AddPartitions } from './add-partitions.ts'
import { partitionSet } from './partition-set.ts'
import type { TopicPartition } from './partition-set.ts'
import { noOffsetsTopic } from './refusals.ts'
import type { TransactionSettings } from './settings.ts'
import type { ProducerIdentity, TransactionMetadata } from './transaction-metadata.ts'

/** One result a partition, in their order: undefined where the producer may write. */
export type Admission = readonly (Refusal | undefined)[]

/** Records that a producer wants to write in its transaction. */
export interface TransactionalWrite extends ProducerIdentity {
  readonly transactionalId: string | null
  readonly partitions: readonly TopicPartition[]
  /** The version of the Produce request. */
  readonly version: number
}

/** Offsets of a group that a producer wants to commit in its transaction. */
export interface OffsetsWrite extends ProducerIdentity {
  readonly transactionalId: string
  readonly groupId: string
  /** The version of the TxnOffsetCommit request. */
  readonly version: number
}

/** What a partition remembers of a producer. */
export interface ProducerInPartition {
  readonly producerEpoch: number
  readonly transactionOpen: boolean
}

interface VerifierPorts {
  readonly clock: Pick<Clock, 'elapsedMs'>
  readonly settings: TransactionSettings
  readonly offsetsPartitionOf: (group: string) => number
  readonly producerInPartition: (
    topic: string,
    partition: number,
    producerId: number,
  ) => ProducerInPartition | undefined
}

interface CoordinatorOfWrites {
  metadataOf(transactionalId: string): TransactionMetadata | Refusal
  addPartitions(
    request: AddPartitions & { readonly transactionalId: string },
  ): Promise<Refusal | undefined>
  settled(transactionalId: string, waitMs: number): Promise<void>
}

/**
 * What a request version does about partitions that the transaction does not know: `add` them;
 * `verify` and answer with TRANSACTION_ABORTABLE; `verify-old`, for clients that do not know that
 * error.
 */
type Operation = 'add' | 'verify' | 'verify-old'

type Write = ProducerIdentity & {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
}

/**
 * Admits writes to transactions (KIP-890): no record may come to a partition that the coordinator
 * would not end, or nobody could ever read past it. A partition in which the transaction is open
 * needs no second look.
 */
export class WriteVerifier {
  readonly #ports: VerifierPorts
  readonly #coordinator: CoordinatorOfWrites

  constructor(ports: VerifierPorts, coordinator: CoordinatorOfWrites) {
    this.#ports = ports
    this.#coordinator = coordinator
  }

  produce(write: TransactionalWrite): Admission | Promise<Admission> {
    const { transactionalId, partitions, version } = write
    if (transactionalId === null) {
      const refusal = refuse(
        'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
        'records of a transaction need a transactional id',
      )
      return partitions.map(() => refusal)
    }
    const operation = version > 11 ? 'add' : version > 10 ? 'verify' : 'verify-old'
    const admission = this.#admit({ ...write, transactionalId }, operation)
    const adapt = (results: Admission): Admission =>
      results.map((refusal) => refusal && forProduce(refusal, operation))
    return admission instanceof Promise ? admission.then(adapt) : adapt(admission)
  }

  offsets(write: OffsetsWrite): Refusal | undefined | Promise<Refusal | undefined> {
    const { groupId, version } = write
    const operation = version > 4 ? 'add' : version > 3 ? 'verify' : 'verify-old'
    const partition = this.#ports.offsetsPartitionOf(groupId)
    if (partition === -1) return noOffsetsTopic()
    const partitions = [{ topic: offsetsTopic, partition }]
    const admission = this.#admit({ ...write, partitions }, operation)
    const adapt = ([refusal]: Admission): Refusal | undefined =>
      refusal && forWriter(refusal, operation)
    return admission instanceof Promise ? admission.then(adapt) : adapt(admission)
  }

  #admit(write: Write, operation: Operation): Admission | Promise<Admission> {
    const { partitions } = write
    const { settings } = this.#ports
    if (operation !== 'add' && !settings.verifiesPartitions) return partitions.map(() => undefined)
    const results: (Refusal | undefined)[] = []
    const unknown: { readonly index: number; readonly partition: TopicPartition }[] = []
    for (const [index, partition] of partitions.entries()) {
      const known = this.#lookIntoPartition(write, partition)
      if (known === 'unknown') unknown.push({ index, partition })
      else results[index] = known === 'open' ? undefined : known
    }
    const merge = (refusalOf: (partition: TopicPartition) => Refusal | undefined): Admission => {
      for (const { index, partition } of unknown) results[index] = refusalOf(partition)
      return partitions.map((_, index) => results[index])
    }
    if (unknown.length === 0) return merge(() => undefined)
    if (operation === 'add') {
      const added = this.#add(
        write,
        unknown.map(({ partition }) => partition),
      )
      return added.then((refusal) => merge(() => refusal))
    }
    const metadata = this.#coordinator.metadataOf(write.transactionalId)
    if (isRefusal(metadata)) return merge(() => metadata)
    return merge((partition) => refuseWrite(metadata, write, partition))
  }

  #lookIntoPartition(
    { producerId, producerEpoch }: ProducerIdentity,
    { topic, partition }: TopicPartition,
  ): Refusal | 'open' | 'unknown' {
    const known = this.#ports.producerInPartition(topic, partition, producerId)
    if (known === undefined || producerEpoch > known.producerEpoch) return 'unknown'
    if (producerEpoch < known.producerEpoch) {
      return refuse(
        'INVALID_PRODUCER_EPOCH',
        `producer epoch (${producerEpoch}) must not be below ${known.producerEpoch} in ${topic}-${partition}`,
      )
    }
    return known.transactionOpen ? 'open' : 'unknown'
  }

  /**
   * The first write of a transaction often comes while the markers of the last one are being
   * written. Sending the records again would cost more than to wait a little for that.
   */
  async #add(write: Write, partitions: readonly TopicPartition[]): Promise<Refusal | undefined> {
    const { clock, settings } = this.#ports
    const { transactionalId, producerId, producerEpoch } = write
    const giveUpAtMs = clock.elapsedMs() + settings.addPartitionsWaitMsMax
    for (;;) {
      const refusal = await this.#coordinator.addPartitions({
        transactionalId,
        producerId,
        producerEpoch,
        partitions: partitionSet(partitions),
        version: 2,
      })
      if (refusal?.error !== 'CONCURRENT_TRANSACTIONS') return refusal
      const waitMs = giveUpAtMs - clock.elapsedMs()
      if (waitMs <= 0) return refusal
      await this.#coordinator.settled(transactionalId, waitMs)
    }
  }
}

/** The coordinator's errors, as a client understands them that does not talk to the coordinator. */
function forWriter(refusal: Refusal, operation: Operation): Refusal {
  const { error, message } = refusal
  if (error === 'PRODUCER_FENCED') return refuse('INVALID_PRODUCER_EPOCH', message)
  if (error === 'TRANSACTION_ABORTABLE' && operation === 'verify-old') {
    return refuse('INVALID_TXN_STATE', message)
  }
  return refusal
}

/**
 * A producer repeats a Produce that met NOT_ENOUGH_REPLICAS, and looks for no other leader. The
 * coordinator's own errors could end in a loop of metadata requests, or end the producer.
 */
function forProduce(refusal: Refusal, operation: Operation): Refusal {
  const { error, message } = refusal
  const coordinatorIsAway =
    error === 'COORDINATOR_LOAD_IN_PROGRESS' ||
    error === 'COORDINATOR_NOT_AVAILABLE' ||
    error === 'NOT_COORDINATOR'
  if (coordinatorIsAway || (error === 'CONCURRENT_TRANSACTIONS' && operation !== 'add')) {
    return refuse('NOT_ENOUGH_REPLICAS', `the transaction cannot be verified: ${message}`)
  }
  return forWriter(refusal, operation)
}
