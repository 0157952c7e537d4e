import { Pattern } from '../group/regex/pattern.ts'
import { PatternError } from '../group/regex/syntax.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { PartitionSet } from './partition-set.ts'
import type { Transaction } from './transaction.ts'
import { isTransactionState } from './transaction-state.ts'
import type { TransactionState } from './transaction-state.ts'

/** What ListTransactions asks for; an empty list, a negative duration, no pattern: everything. */
export interface TransactionFilter {
  readonly states: readonly string[]
  readonly producerIds: readonly number[]
  /** Only transactions that began longer ago than this. */
  readonly durationMs: number
  /** A regular expression that the whole transactional id must match (KIP-1152). */
  readonly transactionalIdPattern: string | null
}

export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: TransactionState
}

export interface TransactionListing {
  /** States of the filter that do not exist. */
  readonly unknownStates: readonly string[]
  readonly transactions: readonly ListedTransaction[]
}

export interface TransactionDescription extends ListedTransaction {
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly startTimestamp: number
  /** While a transaction ends: the partitions whose markers are still to be written. */
  readonly partitions: PartitionSet
}

export function listTransactions(
  transactions: Iterable<Transaction>,
  filter: TransactionFilter,
  now: number,
): TransactionListing | Refusal {
  const pattern = compile(filter.transactionalIdPattern)
  if (isRefusal(pattern)) return pattern
  const states = new Set(filter.states)
  const producerIds = new Set(filter.producerIds)
  const listed: ListedTransaction[] = []
  for (const { metadata } of transactions) {
    const { transactionalId, producerId, state, startTimestamp } = metadata
    if (states.size > 0 && !states.has(state)) continue
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue
    if (filter.durationMs >= 0 && now - startTimestamp <= filter.durationMs) continue
    if (pattern?.matches(transactionalId) === false) continue
    listed.push({ transactionalId, producerId, state })
  }
  return {
    unknownStates: filter.states.filter((state) => !isTransactionState(state)),
    transactions: listed,
  }
}

function compile(pattern: string | null): Pattern | Refusal | undefined {
  if (pattern === null || pattern === '') return undefined
  try {
    return new Pattern(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return refuse(
      'INVALID_REGULAR_EXPRESSION',
      `transactional id pattern (${pattern}) must be a regular expression of RE2: ${error.message}`,
    )
  }
}

export function describeTransaction(transaction: Transaction): TransactionDescription {
  const { metadata, unmarked } = transaction
  const { transactionalId, producerId, producerEpoch, state, timeoutMs, startTimestamp } = metadata
  return {
    transactionalId,
    producerId,
    producerEpoch,
    state,
    timeoutMs,
    startTimestamp,
    partitions: unmarked ?? metadata.partitions,
  }
}
