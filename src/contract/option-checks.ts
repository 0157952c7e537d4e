import { OptionError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { shown } from './schema/shown.ts'

/** Refuses what is no object, and names that are no option. */
export function checkOptions(given: unknown, path: string, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OptionError(path, `(${shown(given)}) must be an object`)
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`
    throw new OptionError(`${path}.${name}`, `is not an option; ${hint}`)
  }
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** A whole number within bounds. */
export function wholeNumber(value: unknown, option: string, { min, max }: Range): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new OptionError(option, `(${shown(value)}) must be a whole number from ${min} to ${max}`)
}

/** One of the given words. */
export function oneOf<Word extends string>(
  value: unknown,
  option: string,
  words: readonly Word[],
): Word {
  const word = words.find((known) => known === value)
  if (word !== undefined) return word
  const allowed = words.map((known) => `'${known}'`).join(', ')
  throw new OptionError(option, `(${shown(value)}) must be one of ${allowed}`)
}
