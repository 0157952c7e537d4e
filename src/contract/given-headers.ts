import { ContractViolation } from './contract-error.ts'
import { headerNames } from './headers.ts'
import type { EncodedHeader } from './headers.ts'
import { shown } from './schema/shown.ts'

/** What a value is, is not for senders to say otherwise. */
const reserved: ReadonlySet<string> = new Set([
  headerNames.eventId,
  headerNames.eventType,
  headerNames.contentType,
  headerNames.schemaVersion,
])

type GivenHeaders =
  readonly EncodedHeader[] | Readonly<Record<string, Uint8Array | string | null>> | undefined

/** Headers of the contract and those that were given, which replace what is there once by its name. */
export function givenHeaders(
  own: readonly EncodedHeader[],
  given: GivenHeaders,
): readonly EncodedHeader[] {
  if (given === undefined) return own
  const pairs = Array.isArray(given)
    ? (given as readonly EncodedHeader[])
    : Object.entries(given as Readonly<Record<string, Uint8Array | string | null>>)
  if (pairs.length === 0) return own
  pairs.forEach(checkHeader)
  const names = new Set(pairs.map(([name]) => name))
  return [...own.filter(([name]) => !names.has(name)), ...pairs]
}

function checkHeader(pair: unknown): void {
  const [name, value] = Array.isArray(pair) ? (pair as unknown[]) : []
  const isValue = typeof value === 'string' || value === null || value instanceof Uint8Array
  if (typeof name !== 'string' || !isValue) {
    throw new ContractViolation('header-invalid', 'must be a name with text, bytes or null', {
      path: 'headers',
      shown: typeof name === 'string' ? shown(name) : shown(pair),
    })
  }
  if (!reserved.has(name) && !name.startsWith('ce_')) return
  throw new ContractViolation('header-invalid', 'is written by the contract', {
    path: 'headers',
    shown: shown(name),
  })
}
