import { isWord } from './character-class.ts'
import { parsePattern } from './parse.ts'
import { PatternError } from './syntax.ts'
import type { CharacterTest, Expression, Position } from './syntax.ts'

/**
 * One step of a program: take a character and go on at `next`, go on at several places, check where
 * we are, or say that all matched.
 */
type Step =
  | { readonly kind: 'take'; readonly test: CharacterTest; next: number }
  | { readonly kind: 'fork'; readonly next: number[] }
  | { readonly kind: 'check'; readonly position: Position; next: number }
  | { readonly kind: 'matched' }

/** Nested repetitions multiply: this keeps `((a{1000}){1000})` from filling the memory. */
const stepsMax = 10_000

/**
 * A compiled regular expression that matches in a time linear in the length of the text, whatever
 * the expression: all places where the program could be are followed at once, none is tried twice.
 * A member's subscription cannot stop the broker.
 */
export class Pattern {
  readonly #steps: Step[] = []
  readonly #start: number

  /** Throws a `PatternError` when `pattern` is not a valid expression of RE2's syntax. */
  constructor(pattern: string) {
    const end = this.#add({ kind: 'matched' })
    this.#start = this.#compile(parsePattern(pattern), end)
  }

  /** Whether the expression matches the whole text. */
  matches(text: string): boolean {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    let current = this.#reach([this.#start], codes, 0)
    for (const [index, code] of codes.entries()) {
      const next: number[] = []
      for (const at of current) {
        const step = this.#steps[at]
        if (step?.kind === 'take' && step.test(code)) next.push(step.next)
      }
      if (next.length === 0) return false
      current = this.#reach(next, codes, index + 1)
    }
    return [...current].some((at) => this.#steps[at]?.kind === 'matched')
  }

  /** All steps that can be reached from `places` without taking a character. */
  #reach(places: readonly number[], codes: readonly number[], index: number): Set<number> {
    const reached = new Set<number>()
    const waiting = [...places]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (reached.has(at)) continue
      reached.add(at)
      const step = this.#steps[at]
      if (step?.kind === 'fork') waiting.push(...step.next)
      else if (step?.kind === 'check' && isAt(step.position, codes, index)) waiting.push(step.next)
    }
    return reached
  }

  /** Adds the steps of an expression that go on at `next`; answers where they begin. */
  #compile(expression: Expression, next: number): number {
    switch (expression.kind) {
      case 'character':
        return this.#add({ kind: 'take', test: expression.test, next })
      case 'position':
        return this.#add({ kind: 'check', position: expression.position, next })
      case 'sequence':
        return expression.parts.reduceRight((after, part) => this.#compile(part, after), next)
      case 'choice':
        return this.#add({
          kind: 'fork',
          next: expression.options.map((option) => this.#compile(option, next)),
        })
      case 'repetition':
        return this.#compileRepetition(expression, next)
    }
  }

  #compileRepetition(
    { part, min, max }: Expression & { kind: 'repetition' },
    next: number,
  ): number {
    let start = next
    if (max === Infinity) {
      const again: Step & { kind: 'fork' } = { kind: 'fork', next: [next] }
      start = this.#add(again)
      again.next.push(this.#compile(part, start))
    } else {
      for (let optional = max - min; optional > 0; optional--) {
        start = this.#add({ kind: 'fork', next: [next, this.#compile(part, start)] })
      }
    }
    for (let required = min; required > 0; required--) start = this.#compile(part, start)
    return start
  }

  #add(step: Step): number {
    if (this.#steps.length >= stepsMax) throw new PatternError('it is too large')
    return this.#steps.push(step) - 1
  }
}

function isAt(position: Position, codes: readonly number[], index: number): boolean {
  switch (position) {
    case 'text-start':
      return index === 0
    case 'text-end':
      return index === codes.length
    case 'line-start':
      return index === 0 || codes[index - 1] === 0x0a
    case 'line-end':
      return index === codes.length || codes[index] === 0x0a
    case 'word':
      return isBoundary(codes, index)
    case 'not-word':
      return !isBoundary(codes, index)
  }
}

function isBoundary(codes: readonly number[], index: number): boolean {
  const before = codes[index - 1]
  const after = codes[index]
  return (before !== undefined && isWord(before)) !== (after !== undefined && isWord(after))
}
