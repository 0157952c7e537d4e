import { MillraceError } from '../../errors.ts'
import { stateKeyBytesMax } from './state-store.ts'
import type { StateChange, StateKey } from './state-store.ts'

/** The changes of a commit, each with a key that a store can have. Nothing is changed yet: what is wrong must leave no half. */
export function checkedChanges(changes: Iterable<StateChange>, store: string): StateChange[] {
  const checked = [...changes]
  for (const { key } of checked) if (!isStateKey(key)) throw keyRefused(key, store)
  return checked
}

function isStateKey(key: StateKey): boolean {
  return key.length > 0 && key.length <= stateKeyBytesMax
}

function keyRefused(key: StateKey, store: string): MillraceError {
  return misused(
    `state store '${store}' was given a key of ${key.length} bytes; 1 to ${stateKeyBytesMax} are allowed`,
  )
}

/** What the program that uses a store did wrong. */
export function misused(problem: string): MillraceError {
  return new MillraceError('MILLRACE_STORE_MISUSED', problem)
}
