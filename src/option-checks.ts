import { OptionError } from './errors.ts'
import { nearest } from './nearest.ts'

/** Options as they may come from somebody who does not use TypeScript. */
export type GivenOptions = Readonly<Record<string, unknown>>

/** The options in `given`, which must be an object; `path` is where it stands, '' at the top. */
export function optionsOf(given: unknown, path: string, known: readonly string[]): GivenOptions {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OptionError(path === '' ? 'options' : path, `must be an object`)
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw unknownOption(name, path, known)
  }
  return given as GivenOptions
}

function unknownOption(name: string, path: string, known: readonly string[]): OptionError {
  const within = (option: string) => (path === '' ? option : `${path}.${option}`)
  const meant = nearest(name, known)
  const hint =
    meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${within(meant)}?`
  return new OptionError(within(name), `is not an option; ${hint}`)
}

/** How a value is shown in a message. Only for options that are no secret. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 100)}'`
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** A whole number within bounds, or `absent` where the option is not given. */
export function wholeNumber(
  given: GivenOptions,
  option: string,
  absent: number,
  { min, max }: Range,
  path = option,
): number {
  const value = given[option] === undefined ? absent : given[option]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new OptionError(path, `(${shown(value)}) must be a whole number from ${min} to ${max}`)
}

/** `true` or `false`, or `false` where the option is not given. */
export function flag(given: GivenOptions, name: string, option = name): boolean {
  const value = given[name] === undefined ? false : given[name]
  if (typeof value === 'boolean') return value
  throw new OptionError(option, `(${shown(value)}) must be true or false`)
}

/** A text without control characters, undefined where the option is not given. */
export function text(given: GivenOptions, name: string, option = name): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^[^\p{C}]{1,255}$/u.test(value)) return value
  throw new OptionError(option, `(${shown(value)}) must be a text of 1 to 255 characters`)
}

/** One of some words, or `absent` where nothing is given. */
export function oneOf<Word extends string>(
  value: unknown,
  option: string,
  words: readonly Word[],
  absent?: Word,
): Word {
  if (value === undefined && absent !== undefined) return absent
  const word = words.find((known) => known === value)
  if (word !== undefined) return word
  const allowed = words.map((known) => `'${known}'`).join(', ')
  throw new OptionError(option, `(${shown(value)}) must be one of ${allowed}`)
}
