export { failingMax, Ledger, windowMax } from './ledger.ts'
export type { LedgerOptions, LedgerSnapshot, LedgerState } from './ledger.ts'
