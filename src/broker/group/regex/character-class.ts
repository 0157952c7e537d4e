import type { PatternReader } from './pattern-reader.ts'
import { PatternError } from './syntax.ts'
import type { CharacterTest } from './syntax.ts'

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 0x5f
}

function isLetter(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

/** Perl's idea of a space: without the vertical tab. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d
}

const perl: Record<string, CharacterTest> = { d: isDigit, s: isSpace, w: isWord }

/** Named classes, `[:alpha:]`; all of ASCII. */
const named: Record<string, CharacterTest> = {
  alnum: (code) => isLetter(code) || isDigit(code),
  alpha: isLetter,
  ascii: (code) => code <= 0x7f,
  blank: (code) => code === 0x20 || code === 0x09,
  cntrl: (code) => code <= 0x1f || code === 0x7f,
  digit: isDigit,
  graph: (code) => code >= 0x21 && code <= 0x7e,
  lower: (code) => code >= 0x61 && code <= 0x7a,
  print: (code) => code >= 0x20 && code <= 0x7e,
  punct: (code) => code >= 0x21 && code <= 0x7e && !isLetter(code) && !isDigit(code),
  space: (code) => isSpace(code) || code === 0x0b,
  upper: (code) => code >= 0x41 && code <= 0x5a,
  word: isWord,
  xdigit: (code) => isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66),
}

const controls: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

export function not(test: CharacterTest): CharacterTest {
  return (code) => !test(code)
}

export function anyOf(tests: readonly CharacterTest[]): CharacterTest {
  return (code) => tests.some((test) => test(code))
}

/** Accepts a character also when the other case of it is accepted. */
export function foldingCase(test: CharacterTest): CharacterTest {
  return (code) => {
    if (test(code)) return true
    const text = String.fromCodePoint(code)
    const other = [text.toLowerCase(), text.toUpperCase()]
    return other.some((form) => Array.from(form).length === 1 && test(form.codePointAt(0) ?? code))
  }
}

/**
 * Widens a class before it is negated: `(?i)[^a]` must refuse `A` too, so the case is folded on the
 * inside of the negation.
 */
export type Widening = (test: CharacterTest) => CharacterTest

/** A class that an escape stands for (`\d`, `\pL`), after the backslash; undefined if it is none. */
export function readClassEscape(reader: PatternReader, widen: Widening): CharacterTest | undefined {
  const letter = reader.peek()
  if (letter === 'p' || letter === 'P') {
    reader.next('p')
    return readUnicodeClass(reader, letter === 'P', widen)
  }
  const test = perl[letter.toLowerCase()]
  if (test === undefined) return undefined
  reader.next('a class')
  return letter === letter.toLowerCase() ? widen(test) : not(widen(test))
}

function readUnicodeClass(
  reader: PatternReader,
  negatedByLetter: boolean,
  widen: Widening,
): CharacterTest {
  let name = reader.next('the name of a class')
  let negated = negatedByLetter
  if (name === '{') {
    if (reader.take('^')) negated = !negated
    name = reader.takeWhile((character) => character !== '}')
    if (!reader.take('}')) throw new PatternError('\\p{ has no }')
  }
  if (!/^\w+$/.test(name)) throw new PatternError(`\\p{${name}} is no class`)
  if (name === 'Any') return () => !negated
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    const expression = unicodeProperty(property)
    if (expression === undefined) continue
    const test = widen((code) => expression.test(String.fromCodePoint(code)))
    return negated ? not(test) : test
  }
  throw new PatternError(`\\p{${name}} is no class`)
}

/** Only ever tried on one character, so it cannot be slow. */
function unicodeProperty(property: string): RegExp | undefined {
  try {
    return new RegExp(`^\\p{${property}}$`, 'u')
  } catch {
    return undefined
  }
}

/** The character that an escape stands for, after the backslash. */
export function readCharacterEscape(reader: PatternReader): number {
  const character = reader.next('an escaped character')
  const control = controls[character]
  if (control !== undefined) return control
  if (character === 'x') return readHexadecimal(reader)
  if (/[0-7]/.test(character)) return readOctal(reader, character)
  if (isWord(codeOf(character))) throw new PatternError(`\\${character} is no escape`)
  return codeOf(character)
}

function readHexadecimal(reader: PatternReader): number {
  const isHexadecimal = (character: string) => /[\da-f]/i.test(character)
  let digits: string
  if (reader.take('{')) {
    digits = reader.takeWhile(isHexadecimal)
    if (!reader.take('}')) throw new PatternError('\\x{ has no }')
  } else {
    digits = reader.next('a digit') + reader.next('a digit')
  }
  const code = /^[\da-f]+$/i.test(digits) ? Number.parseInt(digits, 16) : Infinity
  if (code > 0x10_ffff) throw new PatternError(`\\x${digits} is no character`)
  return code
}

/** `\1` to `\7` would refer back to a group unless another octal digit follows. */
function readOctal(reader: PatternReader, first: string): number {
  const start = reader.position
  const rest = reader.takeWhile((character) => /[0-7]/.test(character)).slice(0, 2)
  reader.rewind(start + rest.length)
  if (first !== '0' && rest === '') throw new PatternError(`\\${first} is a back-reference`)
  return Number.parseInt(first + rest, 8)
}

/** A class in brackets, after the `[`. */
export function readBrackets(reader: PatternReader, widen: Widening): CharacterTest {
  const negated = reader.take('^')
  const tests: CharacterTest[] = []
  let first = true
  while (first || reader.peek() !== ']') {
    if (reader.ended) throw new PatternError('[ has no ]')
    tests.push(readBracketItem(reader, widen))
    first = false
  }
  reader.next(']')
  const test = widen(anyOf(tests))
  return negated ? not(test) : test
}

function readBracketItem(reader: PatternReader, widen: Widening): CharacterTest {
  if (reader.startsWith('[:')) {
    const test = readNamedClass(reader)
    if (test !== undefined) return test
  }
  const start = reader.position
  if (reader.take('\\')) {
    const test = readClassEscape(reader, widen)
    if (test !== undefined) return test
    reader.rewind(start)
  }
  const low = readBracketCharacter(reader)
  const beforeDash = reader.position
  if (!reader.take('-') || reader.peek() === ']' || reader.ended) {
    reader.rewind(beforeDash)
    return (code) => code === low
  }
  const high = readBracketCharacter(reader)
  if (high < low) throw new PatternError('a range in brackets ends before it begins')
  return (code) => code >= low && code <= high
}

function readBracketCharacter(reader: PatternReader): number {
  if (reader.take('\\')) return readCharacterEscape(reader)
  return codeOf(reader.next('a character'))
}

function readNamedClass(reader: PatternReader): CharacterTest | undefined {
  const start = reader.position
  reader.take('[:')
  const negated = reader.take('^')
  const name = reader.takeWhile((character) => /[a-z]/.test(character))
  if (!reader.take(':]')) {
    reader.rewind(start)
    return undefined
  }
  const test = named[name]
  if (test === undefined) throw new PatternError(`[:${name}:] is no class`)
  return negated ? not(test) : test
}

export function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0
}
