import { OptionError } from '../errors.ts'
import type { Range } from '../option-checks.ts'
import { shown } from './schema/shown.ts'

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
