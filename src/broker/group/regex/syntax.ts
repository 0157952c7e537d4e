/** Whether one character (a code point) is accepted. */
export type CharacterTest = (code: number) => boolean

/** Where an expression that takes no character must be. */
export type Position = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'not-word'

/** A parsed regular expression. */
export type Expression =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'position'; readonly position: Position }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | {
      readonly kind: 'repetition'
      readonly part: Expression
      readonly min: number
      /** Infinity where there is no end. */
      readonly max: number
    }

/** A pattern that is not a valid regular expression, or too large to be one. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}
