import { OptionError } from '../errors.ts'
import { nearest } from '../nearest.ts'

/** An option of a command. Without `value` it is a switch; `repeat` allows it more than once. */
export interface OptionDeclaration {
  readonly name: string
  /** What stands for the value in the help text, `PORT`. */
  readonly value?: string
  readonly repeat?: true
  readonly help: string
}

/** What a command line says: values by option name, `[]` where the option is absent. */
export interface ParsedArguments {
  has(name: string): boolean
  /** The value, or undefined where the option is absent. */
  value(name: string): string | undefined
  values(name: string): readonly string[]
}

/** Reads `--name value`, `--name=value` and switches. Throws an `OptionError` that names the nearest option. */
export function parseArguments(
  words: readonly string[],
  options: readonly OptionDeclaration[],
): ParsedArguments {
  const given = new Map<string, string[]>()
  const rest = [...words]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { name, inline } = splitWord(word)
    const option = options.find((candidate) => candidate.name === name)
    if (option === undefined) throw unknownOption(word, name, options)
    const value = valueOf(option, inline, rest)
    const values = given.get(option.name) ?? []
    if (values.length > 0 && option.repeat !== true) {
      throw new OptionError(`--${option.name}`, 'is given more than once')
    }
    given.set(option.name, [...values, value])
  }
  return {
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.[0],
    values: (name) => given.get(name) ?? [],
  }
}

function splitWord(word: string): { name: string | undefined; inline: string | undefined } {
  if (!word.startsWith('--')) return { name: undefined, inline: undefined }
  const equals = word.indexOf('=')
  if (equals === -1) return { name: word.slice(2), inline: undefined }
  return { name: word.slice(2, equals), inline: word.slice(equals + 1) }
}

function valueOf(option: OptionDeclaration, inline: string | undefined, rest: string[]): string {
  if (option.value === undefined) {
    if (inline !== undefined) throw new OptionError(`--${option.name}`, 'takes no value')
    return ''
  }
  const value = inline ?? rest.shift()
  if (value === undefined)
    throw new OptionError(`--${option.name}`, `needs a value (${option.value})`)
  return value
}

function unknownOption(
  word: string,
  name: string | undefined,
  options: readonly OptionDeclaration[],
): OptionError {
  const meant = nearest(
    name ?? word,
    options.map((option) => option.name),
  )
  const hint = meant === undefined ? 'see --help' : `did you mean --${meant}?`
  return new OptionError(word, `is not an option; ${hint}`)
}

/** Reads a whole number within bounds. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new OptionError(option, `(${text}) must be a whole number from ${min} to ${max}`)
}

/** The help lines of options, aligned. */
export function describeOptions(options: readonly OptionDeclaration[]): string {
  const heads = options.map(
    ({ name, value }) => `  --${name}${value === undefined ? '' : ` ${value}`}`,
  )
  const width = Math.max(...heads.map((head) => head.length)) + 2
  return options.map(({ help }, i) => `${(heads[i] ?? '').padEnd(width)}${help}`).join('\n')
}
