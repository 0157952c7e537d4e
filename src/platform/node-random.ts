import { builtin } from './builtin.ts'
import type { Random } from './platform.ts'

/** Chance from this machine: `bytes` from the system's generator, the rest from the engine's. */
export const nodeRandom: Random = {
  bytes: (length) => builtin.crypto().randomBytes(length),
  integer: (bound) => Math.floor(Math.random() * bound),
  fraction: () => Math.random(),
}
