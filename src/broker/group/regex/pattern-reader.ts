import { PatternError } from './syntax.ts'

/** The characters of a pattern, one code point after another. */
export class PatternReader {
  readonly #characters: readonly string[]
  #position = 0

  constructor(pattern: string) {
    this.#characters = Array.from(pattern)
  }

  get position(): number {
    return this.#position
  }

  get ended(): boolean {
    return this.#position >= this.#characters.length
  }

  /** The next character, '' at the end. */
  peek(): string {
    return this.#characters[this.#position] ?? ''
  }

  startsWith(text: string): boolean {
    return this.#characters.slice(this.#position, this.#position + text.length).join('') === text
  }

  next(expected: string): string {
    const character = this.#characters[this.#position]
    if (character === undefined) throw new PatternError(`it ends where ${expected} should be`)
    this.#position += 1
    return character
  }

  /** Takes `text` if it is next. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false
    this.#position += text.length
    return true
  }

  takeWhile(accepted: (character: string) => boolean): string {
    let taken = ''
    while (!this.ended && accepted(this.peek())) taken += this.next('')
    return taken
  }

  /** Goes back to an earlier position. */
  rewind(position: number): void {
    this.#position = position
  }
}
