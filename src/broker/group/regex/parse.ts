import {
  codeOf,
  foldingCase,
  readBrackets,
  readCharacterEscape,
  readClassEscape,
} from './character-class.ts'
import type { Widening } from './character-class.ts'
import { PatternReader } from './pattern-reader.ts'
import { PatternError } from './syntax.ts'
import type { Expression, Position } from './syntax.ts'

/** What `(?ims)` switches. */
interface Flags {
  readonly ignoreCase: boolean
  readonly multiLine: boolean
  readonly dotTakesNewline: boolean
}

/** As in RE2. */
const repetitionMax = 1000
/** Deeper patterns could overflow the stack of this parser. RE2 has the same limit. */
const depthMax = 1000

/**
 * Parses the syntax of RE2, Kafka's engine for subscriptions: Perl's without what cannot be matched
 * in linear time (back-references, look-around, possessive and atomic groups). Whether a repetition
 * is greedy makes no difference to whether a name matches, so `*?` is read like `*`.
 */
export function parsePattern(pattern: string): Expression {
  const parser = new Parser(pattern)
  return parser.parse()
}

class Parser {
  readonly #reader: PatternReader
  #flags: Flags = { ignoreCase: false, multiLine: false, dotTakesNewline: false }
  #depth = 0

  constructor(pattern: string) {
    this.#reader = new PatternReader(pattern)
  }

  parse(): Expression {
    const expression = this.#choice()
    if (!this.#reader.ended) throw new PatternError(') has no (')
    return expression
  }

  #choice(): Expression {
    const options = [this.#sequence()]
    while (this.#reader.take('|')) options.push(this.#sequence())
    return options.length === 1 ? (options[0] as Expression) : { kind: 'choice', options }
  }

  #sequence(): Expression {
    const parts: Expression[] = []
    while (!this.#reader.ended && !['|', ')'].includes(this.#reader.peek())) {
      if (this.#reader.take('\\Q')) parts.push(...this.#quoted())
      else parts.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', parts }
  }

  /** Everything up to `\E` or the end, literally; a repetition after it belongs to its last character. */
  #quoted(): Expression[] {
    const parts: Expression[] = []
    while (!this.#reader.ended && !this.#reader.take('\\E')) {
      parts.push(this.#literal(codeOf(this.#reader.next('a character'))))
    }
    const last = parts.pop()
    if (last !== undefined) parts.push(this.#repeated(last))
    return parts
  }

  #atom(): Expression {
    const character = this.#reader.next('an expression')
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'character', test: readBrackets(this.#reader, this.#widen) }
      case '.':
        return { kind: 'character', test: this.#flags.dotTakesNewline ? any : notNewline }
      case '^':
        return position(this.#flags.multiLine ? 'line-start' : 'text-start')
      case '$':
        return position(this.#flags.multiLine ? 'line-end' : 'text-end')
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        throw new PatternError(`${character} has nothing to repeat`)
      default:
        return this.#literal(codeOf(character))
    }
  }

  #escape(): Expression {
    const positions: Record<string, Position> = {
      A: 'text-start',
      z: 'text-end',
      b: 'word',
      B: 'not-word',
    }
    const known = positions[this.#reader.peek()]
    if (known !== undefined) {
      this.#reader.next('a position')
      return position(known)
    }
    const test = readClassEscape(this.#reader, this.#widen)
    return test === undefined
      ? this.#literal(readCharacterEscape(this.#reader))
      : { kind: 'character', test }
  }

  #group(): Expression {
    const before = this.#flags
    if (this.#reader.take('?')) {
      const named = this.#reader.take('P<') || this.#reader.take('<')
      if (named) this.#groupName()
      else if (!this.#switchFlags()) return { kind: 'sequence', parts: [] }
    }
    this.#depth += 1
    if (this.#depth > depthMax) throw new PatternError(`groups are nested deeper than ${depthMax}`)
    const expression = this.#choice()
    if (!this.#reader.take(')')) throw new PatternError('( has no )')
    this.#depth -= 1
    this.#flags = before
    return expression
  }

  #groupName(): void {
    const name = this.#reader.takeWhile((character) => /\w/.test(character))
    if (name === '' || !this.#reader.take('>')) throw new PatternError('a group has no valid name')
  }

  /**
   * Reads `i-ms:` or `i-ms)`; answers whether a group follows. Without one the flags hold up to the
   * end of the group around. `U` is only about greed.
   */
  #switchFlags(): boolean {
    let on = true
    let { ignoreCase, multiLine, dotTakesNewline } = this.#flags
    for (;;) {
      const flag = this.#reader.next('a flag')
      if (flag === ':' || flag === ')') {
        this.#flags = { ignoreCase, multiLine, dotTakesNewline }
        return flag === ':'
      }
      if (flag === '-' && on) on = false
      else if (flag === 'i') ignoreCase = on
      else if (flag === 'm') multiLine = on
      else if (flag === 's') dotTakesNewline = on
      else if (flag !== 'U') throw new PatternError(`(?${flag} is not supported`)
    }
  }

  #repeated(part: Expression): Expression {
    const bounds = this.#repetition()
    if (bounds === undefined) return part
    this.#reader.take('?')
    if (this.#repetition() !== undefined) throw new PatternError('a repetition is repeated')
    return { kind: 'repetition', part, ...bounds }
  }

  #repetition(): { min: number; max: number } | undefined {
    if (this.#reader.take('*')) return { min: 0, max: Infinity }
    if (this.#reader.take('+')) return { min: 1, max: Infinity }
    if (this.#reader.take('?')) return { min: 0, max: 1 }
    return this.#reader.peek() === '{' ? this.#counted() : undefined
  }

  /** `{2}`, `{2,}` or `{2,5}`; any other brace is a character like others. */
  #counted(): { min: number; max: number } | undefined {
    const start = this.#reader.position
    this.#reader.next('{')
    const digits = () => this.#reader.takeWhile((character) => /\d/.test(character))
    const low = digits()
    const hasComma = this.#reader.take(',')
    const high = hasComma ? digits() : low
    if (low === '' || !this.#reader.take('}')) {
      this.#reader.rewind(start)
      return undefined
    }
    const min = Number(low)
    const max = high === '' ? Infinity : Number(high)
    const largest = max === Infinity ? min : max
    if (max < min || largest > repetitionMax) {
      throw new PatternError(`{${low},${high}} must be in order and at most ${repetitionMax}`)
    }
    return { min, max }
  }

  #literal(code: number): Expression {
    return { kind: 'character', test: this.#widen((candidate) => candidate === code) }
  }

  get #widen(): Widening {
    return this.#flags.ignoreCase ? foldingCase : (test) => test
  }
}

function position(at: Position): Expression {
  return { kind: 'position', position: at }
}

function any(): boolean {
  return true
}

function notNewline(code: number): boolean {
  return code !== 0x0a
}
