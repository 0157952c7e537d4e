import { kafkaError } from '../../../protocol/index.ts'
import { KafkaError } from '../../client-error.ts'
import { isForgotten, mayHaveTakenEffect, nextAttempt } from './error-policy.ts'
import type { Openness } from './transaction-contents.ts'
import type { TransactionOutcome, TransactionVersion } from './transaction-coordinator.ts'

/** What is known of a transaction after EndTxn has failed. */
export type EndVerdict =
  /** It has ended as it was asked to. The identity has to be renewed before the next one. */
  | 'ended'
  /** It was not committed, and cannot be any more: it has to be aborted. */
  | 'not-committed'
  /** The request has certainly not taken effect: all is as before. */
  | 'not-asked'
  /** Nobody has said: only the same request can find out. */
  | 'unknown'
  /** The producer is at its end, and the transaction is not committed. */
  | 'closed'
  /** The producer is at its end, and nobody will tell it what became of the commit. */
  | 'closed-unknown'

export interface EndSituation {
  readonly version: TransactionVersion
  readonly openness: Openness
  /** Whether an attempt at this outcome may have taken effect before. */
  readonly wasAsked: boolean
  /** Whether the coordinator has refused to commit it. */
  readonly commitRefused: boolean
}

/** What the last error of a repeated EndTxn proves, in the light of the attempts before. */
export function judgeEnd(
  outcome: TransactionOutcome,
  error: unknown,
  situation: EndSituation,
): EndVerdict {
  return outcome === 'commit' ? judgeCommit(error, situation) : judgeAbort(error, situation)
}

function judgeCommit(error: unknown, { wasAsked }: EndSituation): EndVerdict {
  if (isUndecided(error)) return wasAsked ? 'unknown' : 'not-asked'
  if (!(error instanceof KafkaError)) return wasAsked ? 'closed-unknown' : 'closed'
  switch (error.kafkaCode) {
    // Had it been committed, the coordinator would know, and answer with success: under TV1 by its state,
    // under TV2 by the epoch, which each end moves on.
    case kafkaError.INVALID_TXN_STATE:
    case kafkaError.TRANSACTION_ABORTABLE:
      return 'not-committed'
    case kafkaError.INVALID_PRODUCER_EPOCH:
    case kafkaError.PRODUCER_FENCED:
    case kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case kafkaError.CLUSTER_AUTHORIZATION_FAILED:
      return wasAsked ? 'closed-unknown' : 'closed'
    default:
      if (isForgotten(error)) return wasAsked ? 'closed-unknown' : 'not-committed'
      return 'closed-unknown'
  }
}

function judgeAbort(error: unknown, situation: EndSituation): EndVerdict {
  if (isUndecided(error)) return 'unknown'
  if (isForgotten(error)) return 'ended'
  const isWrongState =
    error instanceof KafkaError && error.kafkaCode === kafkaError.INVALID_TXN_STATE
  if (!isWrongState) return 'closed'
  // Under TV1 that is the answer when nothing is open: no partition came to be added, or the coordinator has
  // said before that there is nothing to commit. Otherwise somebody has ended the transaction in our place.
  const nothingIsOpen =
    situation.version === 1 && (situation.openness !== 'certainly' || situation.commitRefused)
  return nothingIsOpen ? 'ended' : 'closed-unknown'
}

/** The time was over before there was an answer that decides. */
function isUndecided(error: unknown): boolean {
  return nextAttempt(error) !== 'none' || mayHaveTakenEffect(error)
}
