import { scramMechanisms } from '../security/scram-credential.ts'
import type { ScramMechanism } from '../security/scram-credential.ts'

/** The mechanism that the administration requests mean by a code; 0 is "unknown". */
export function scramMechanismByCode(code: number): ScramMechanism | undefined {
  return scramMechanisms[code - 1]
}

/** The code of a mechanism in the administration requests: they count from 1. */
export function scramMechanismCode(mechanism: ScramMechanism): number {
  return scramMechanisms.indexOf(mechanism) + 1
}
