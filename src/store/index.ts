export { eventIdCharactersMax } from './dedupe/dedupe-store.ts'
export type { Claim, ClaimAnswer, DedupeStore, MaybeAsync } from './dedupe/dedupe-store.ts'
export { memoryDedupeStore } from './dedupe/memory-store.ts'
export type { MemoryDedupeOptions } from './dedupe/memory-store.ts'
