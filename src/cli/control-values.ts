import { OptionError } from '../errors.ts'

/** What was sent along with a request for a control. */
export type Values = Readonly<Record<string, unknown>>

export function text(values: Values, name: string): string {
  const value = values[name]
  if (typeof value === 'string' && value !== '') return value
  throw new OptionError(name, `(${JSON.stringify(value)}) must be a text`)
}

export function whole(values: Values, name: string, fallback?: number): number {
  const value = values[name] ?? fallback
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new OptionError(name, `(${JSON.stringify(value)}) must be a whole number from 0 on`)
}

export function oneOf<Word extends string>(
  values: Values,
  name: string,
  words: readonly Word[],
  fallback?: Word,
): Word {
  const value = values[name] ?? fallback
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new OptionError(name, `(${JSON.stringify(value)}) must be one of ${words.join(', ')}`)
}

export function texts(values: Values, name: string): Record<string, string> {
  const value = values[name]
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (entries.length > 0 && entries.every(([, each]) => typeof each === 'string')) {
    return Object.fromEntries(entries)
  }
  throw new OptionError(name, `(${JSON.stringify(value)}) must be an object of texts`)
}

export function flag(values: Values, name: string): boolean {
  const value = values[name] ?? false
  if (typeof value === 'boolean') return value
  throw new OptionError(name, `(${JSON.stringify(value)}) must be true or false`)
}
