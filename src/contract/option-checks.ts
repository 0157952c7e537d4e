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
