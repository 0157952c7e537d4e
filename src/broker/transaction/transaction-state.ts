/**
 * The states of a transactional id. Their order is Kafka's: the index of a state is the number it
 * is stored under.
 */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

/**
 * `Dead` and `PrepareEpochFence` are Kafka's names for moments that do not exist here: an expired id
 * leaves the memory with its tombstone, and fencing is one change with the abort that it begins.
 * They can be asked for, and match nothing.
 */
export type TransactionState = (typeof transactionStates)[number]

const successors: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  Empty: ['Empty', 'Ongoing', 'PrepareAbort'],
  Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing', 'PrepareAbort'],
  CompleteAbort: ['Empty', 'Ongoing', 'PrepareAbort'],
  Dead: [],
  PrepareEpochFence: [],
}

/** Throws when the rules of this room would take a transaction where it can never be. */
export function assertSuccessor(from: TransactionState, to: TransactionState): void {
  if (!successors[from].includes(to)) {
    throw new Error(`a transaction in state ${from} cannot become ${to}`)
  }
}

export function isTransactionState(name: string): name is TransactionState {
  return (transactionStates as readonly string[]).includes(name)
}

/** Whether the outcome is decided and its markers are still to be written. */
export function isPrepared(state: TransactionState): state is 'PrepareCommit' | 'PrepareAbort' {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** Whether no transaction is open and none is being ended. */
export function isIdle(state: TransactionState): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}
