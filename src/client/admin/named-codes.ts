import { OptionError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { shown } from '../../option-checks.ts'

/** Numbers of the protocol under the names that they have here. */
export type NamedCodes = Readonly<Record<string, number>>

/** The number of a name that somebody gave; the error lists what is allowed. */
export function codeOf<Codes extends NamedCodes>(
  option: string,
  name: keyof Codes & string,
  codes: Codes,
): number {
  const code = Object.hasOwn(codes, name) ? codes[name] : undefined
  if (code !== undefined) return code
  const names = Object.keys(codes)
  const meant = typeof name === 'string' ? nearest(name, names) : undefined
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`
  throw new OptionError(option, `(${shown(name)}) must be one of ${names.join(', ')}${hint}`)
}

/** The name of a number that a broker gave; `'unknown'` for one that is newer than this client. */
export function nameOfCode<Codes extends NamedCodes>(
  code: number,
  codes: Codes,
): (keyof Codes & string) | 'unknown' {
  const found = Object.entries(codes).find(([, known]) => known === code)
  return found === undefined ? 'unknown' : found[0]
}
