import { changeTo, needsProducerId } from './decision.ts'
import type { Decision, TransactionView } from './decision.ts'
import { concurrent, otherEpoch } from './refusals.ts'
import { fenced, initialised, isExhausted, noProducerEpoch } from './transaction-metadata.ts'
import type {
  ProducerIdentity,
  TransactionMetadata,
  TransactionVersion,
} from './transaction-metadata.ts'
import { isPrepared } from './transaction-state.ts'

export interface InitProducerId {
  readonly timeoutMs: number
  /** Who the producer believes to be; undefined for one that starts (KIP-360). */
  readonly expected: ProducerIdentity | undefined
}

export interface InitProducerIdSituation {
  readonly now: number
  /** The cluster's own version: an abort that no client asked for follows it. */
  readonly clusterVersion: TransactionVersion
  readonly newProducerId: number | undefined
}

/**
 * InitProducerId for a known transactional id. An open transaction is aborted first, with an epoch
 * that nobody is told: the producer asks again, and gets the one after it.
 */
export function decideInitProducerId(
  { metadata, changing }: TransactionView,
  request: InitProducerId,
  situation: InitProducerIdSituation,
): Decision {
  const { transactionalId, state } = metadata
  if (changing) return concurrent(transactionalId)
  if (request.expected !== undefined && !mayBe(metadata, request.expected)) {
    return otherEpoch(transactionalId)
  }
  if (isPrepared(state)) return concurrent(transactionalId)
  if (state === 'Ongoing') {
    // Stricter than Kafka, which lets any epoch of the producer id abort: a fenced producer that
    // only learns here that it is fenced must not take its successor's transaction with it.
    if (request.expected !== undefined && !isCurrent(metadata, request.expected)) {
      return otherEpoch(transactionalId)
    }
    return changeTo(fenced(metadata, situation.clusterVersion, situation.now))
  }
  return isExhausted(metadata.producerEpoch)
    ? decideNewProducerId(metadata, request, situation)
    : decideNextEpoch(metadata, request, situation.now)
}

/**
 * Whether the producer can be who it says: anybody, while nobody was ever granted an epoch; the
 * current producer id, whose epoch is looked at next; or the one before, if that ran out of epochs and the
 * answer with the new one was lost.
 */
function mayBe(metadata: TransactionMetadata, expected: ProducerIdentity): boolean {
  return (
    metadata.producerEpoch === noProducerEpoch ||
    expected.producerId === metadata.producerId ||
    (expected.producerId === metadata.previousProducerId && isExhausted(expected.producerEpoch))
  )
}

function isCurrent(metadata: TransactionMetadata, identity: ProducerIdentity): boolean {
  return (
    identity.producerId === metadata.producerId && identity.producerEpoch === metadata.producerEpoch
  )
}

function decideNewProducerId(
  metadata: TransactionMetadata,
  { expected, timeoutMs }: InitProducerId,
  { newProducerId, now }: InitProducerIdSituation,
): Decision {
  const { producerEpoch, lastProducerEpoch, transactionalId } = metadata
  // The last epoch comes in when the one before it was fenced: its producer is still the rightful one.
  if (
    expected !== undefined &&
    expected.producerEpoch !== producerEpoch &&
    expected.producerEpoch !== lastProducerEpoch
  ) {
    return otherEpoch(transactionalId)
  }
  if (newProducerId === undefined) return needsProducerId
  const identity = {
    producerId: newProducerId,
    producerEpoch: 0,
    lastProducerEpoch: expected?.producerEpoch ?? noProducerEpoch,
  }
  return changeTo(initialised(metadata, identity, timeoutMs, now))
}

function decideNextEpoch(
  metadata: TransactionMetadata,
  { expected, timeoutMs }: InitProducerId,
  now: number,
): Decision {
  const { producerId, producerEpoch, lastProducerEpoch, transactionalId } = metadata
  const go = (nextEpoch: number, lastEpoch: number): Decision => {
    const identity = { producerId, producerEpoch: nextEpoch, lastProducerEpoch: lastEpoch }
    return changeTo(initialised(metadata, identity, timeoutMs, now))
  }
  if (expected === undefined) return go(producerEpoch + 1, noProducerEpoch)
  if (producerEpoch === noProducerEpoch || expected.producerEpoch === producerEpoch) {
    return go(producerEpoch + 1, producerEpoch)
  }
  // A retry of what was granted. Another producer would have made the last epoch -1.
  if (expected.producerEpoch === lastProducerEpoch) return go(producerEpoch, lastProducerEpoch)
  return otherEpoch(transactionalId)
}
