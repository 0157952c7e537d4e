export { eventIdCharactersMax } from './dedupe/dedupe-store.ts'
export type { Claim, ClaimAnswer, DedupeStore, MaybeAsync } from './dedupe/dedupe-store.ts'
export { memoryDedupeStore } from './dedupe/memory-store.ts'
export type { MemoryDedupeOptions } from './dedupe/memory-store.ts'
export { lmdbStateStores } from './state/lmdb-state-stores.ts'
export type { LmdbStateOptions } from './state/lmdb-state-stores.ts'
export { memoryStateStores } from './state/memory-state-stores.ts'
export { stateKeyBytesMax } from './state/state-store.ts'
export type {
  Checkpoint,
  StateChange,
  StateEntry,
  StateFigures,
  StateKey,
  StateStore,
  StateStores,
} from './state/state-store.ts'
