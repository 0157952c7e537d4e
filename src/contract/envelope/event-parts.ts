import { ContractViolation } from '../contract-error.ts'
import { shown } from '../schema/shown.ts'

/** An event as its envelope holds it, before anybody has looked at its data. */
export interface EventParts {
  readonly id: string | undefined
  readonly type: string
  /** Milliseconds since the epoch; undefined: the record's. */
  readonly timestamp: number | undefined
  readonly data: unknown
  readonly version: number
  /** Where the data lies in the value, for messages. */
  readonly dataPath: string
  readonly attributes: Readonly<Record<string, unknown>> | undefined
}

const idLengthMax = 256

/** An id as it is allowed to be; undefined when there is none. */
export function eventIdOf(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined
  if (typeof id === 'string' && id.length > 0 && id.length <= idLengthMax) return id
  throw new ContractViolation('event-id', `must be text of 1 to ${idLengthMax} characters`, {
    path: 'id',
    shown: shown(id),
  })
}

const dateTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch, of a number or of a text as RFC 3339 has it. */
export function timestampOf(time: unknown, path: string): number | undefined {
  if (time === undefined || time === null) return undefined
  const ms = typeof time === 'string' && dateTime.test(time) ? Date.parse(time) : time
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) return ms
  throw new ContractViolation(
    'envelope',
    'must be whole milliseconds since 1970, or a time as 2026-01-31T12:00:00Z',
    { path, shown: shown(time) },
  )
}

const digitZero = 0x30

/**
 * The version that the header `schema-version` says. A record that does not say one is of version 1: what
 * an event is before it has versions.
 */
export function versionOf(header: Buffer | null | undefined): number {
  if (header === null || header === undefined) return 1
  let version = 0
  for (let index = 0; index < header.length; index++) {
    const digit = (header[index] as number) - digitZero
    if (digit < 0 || digit > 9) return malformedVersion(header)
    version = version * 10 + digit
  }
  return version >= 1 && version < 2 ** 31 && header.length <= 10
    ? version
    : malformedVersion(header)
}

function malformedVersion(header: Buffer): never {
  throw new ContractViolation('version-malformed', 'must be a whole number from 1', {
    path: 'schema-version',
    shown: shown(header.toString('utf8', 0, 200)),
  })
}
