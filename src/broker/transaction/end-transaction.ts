import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { changeTo, needsProducerId } from './decision.ts'
import type { Decision, TransactionView } from './decision.ts'
import { concurrent, otherEpoch, otherProducerId } from './refusals.ts'
import { isExhausted, noProducerId, prepared } from './transaction-metadata.ts'
import type {
  ProducerIdentity,
  TransactionMetadata,
  TransactionVersion,
} from './transaction-metadata.ts'
import { isPrepared } from './transaction-state.ts'
import type { TransactionState } from './transaction-state.ts'

export interface EndTransaction extends ProducerIdentity {
  readonly commit: boolean
  readonly version: TransactionVersion
}

/** EndTxn for a known transactional id, by the version that the request was made under. */
export function decideEndTransaction(
  transaction: TransactionView,
  request: EndTransaction,
  now: number,
  newProducerId: number | undefined,
): Decision {
  return request.version >= 2
    ? decideWithBump(transaction, request, now, newProducerId)
    : decideWithoutBump(transaction, request, now)
}

/**
 * Before KIP-890 the epoch stays, so a repeated request looks like the one for the next
 * transaction: it is answered by what the state says was done last.
 */
function decideWithoutBump(
  { metadata, changing }: TransactionView,
  request: EndTransaction,
  now: number,
): Decision {
  const { state, transactionalId } = metadata
  if (metadata.producerId !== request.producerId) return otherProducerId(transactionalId)
  if (metadata.producerEpoch !== request.producerEpoch) return otherEpoch(transactionalId)
  if (changing) return concurrent(transactionalId)
  if (state === 'Ongoing') {
    return changeTo(prepared(metadata, outcomeOf(request), request.version, noProducerId, now))
  }
  if (state === (request.commit ? 'CompleteCommit' : 'CompleteAbort')) {
    return { kind: 'done' }
  }
  if (state === outcomeOf(request)) return concurrent(transactionalId)
  return wrongState(transactionalId, state, request)
}

/**
 * KIP-890: every outcome moves the epoch on. A request with the epoch before the current one is
 * a repetition; one with the current epoch is about the next transaction, where an abort of nothing
 * is allowed, because a producer that is unsure what has arrived must be able to clean up.
 *
 *                  abort            commit
 *                  again   new      again   new
 * Empty            fenced  change   fenced  wrong state
 * CompleteAbort    done    change   wrong   wrong state
 * CompleteCommit   wrong   change   done    wrong state
 */
function decideWithBump(
  { metadata, changing }: TransactionView,
  request: EndTransaction,
  now: number,
  newProducerId: number | undefined,
): Decision {
  const { state, transactionalId, producerId, producerEpoch } = metadata
  // First of all: the producer may hold the next producer id, which is not in place yet.
  if (changing) return concurrent(transactionalId)
  const crossed = isBeforeRotation(metadata, request)
  if (producerId !== request.producerId && !crossed) return otherProducerId(transactionalId)
  // Only an end that moved the epoch can be repeated so: before one that did not, somebody else has taken over.
  const again = crossed || (metadata.version >= 2 && producerEpoch === request.producerEpoch + 1)
  if (!epochFits(state, again, producerEpoch === request.producerEpoch)) {
    return otherEpoch(transactionalId)
  }
  if (isPrepared(state)) {
    return state === outcomeOf(request)
      ? concurrent(transactionalId)
      : wrongState(transactionalId, state, request)
  }
  if (again) {
    return state === (request.commit ? 'CompleteCommit' : 'CompleteAbort')
      ? { kind: 'done' }
      : wrongState(transactionalId, state, request)
  }
  if (request.commit && state !== 'Ongoing') return wrongState(transactionalId, state, request)
  if (isExhausted(producerEpoch) && newProducerId === undefined) return needsProducerId
  const nextProducerId = isExhausted(producerEpoch) ? newProducerId : noProducerId
  return changeTo(
    prepared(metadata, outcomeOf(request), request.version, nextProducerId ?? noProducerId, now),
  )
}

/** Whether the request is from before the producer id ran out of epochs and was replaced. */
function isBeforeRotation(metadata: TransactionMetadata, request: ProducerIdentity): boolean {
  return (
    metadata.producerEpoch === 0 &&
    metadata.previousProducerId === request.producerId &&
    metadata.previousProducerId !== metadata.producerId &&
    isExhausted(request.producerEpoch)
  )
}

function epochFits(state: TransactionState, again: boolean, current: boolean): boolean {
  if (isPrepared(state)) return again
  if (state === 'Empty' || state === 'Ongoing') return current
  return again || current
}

function outcomeOf(request: EndTransaction): 'PrepareCommit' | 'PrepareAbort' {
  return request.commit ? 'PrepareCommit' : 'PrepareAbort'
}

function wrongState(
  transactionalId: string,
  state: TransactionState,
  { commit }: EndTransaction,
): Refusal {
  const wish = commit ? 'committed' : 'aborted'
  return refuse(
    'INVALID_TXN_STATE',
    `transactional id '${transactionalId}' is ${state} and cannot be ${wish}`,
  )
}
