/** What is written to: a terminal. */
export interface Terminal {
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
}

const hideCursor = '\u001B[?25l'
const showCursor = '\u001B[?25h'
/** Terminals that know these show what is between them at once. */
const beginFrame = '\u001B[?2026h'
const endFrame = '\u001B[?2026l'
const clearToEndOfLine = '\u001B[K'
const clearBelow = '\u001B[J'

/**
 * Lines that are redrawn where they stand: each is written over what it was, and nothing is cleared before, so that nothing
 * flickers. What scrolls above them stays.
 */
export class Screen implements Disposable {
  readonly #terminal: Terminal
  #height = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    terminal.write(hideCursor)
  }

  get columns(): number {
    return this.#terminal.columns ?? 80
  }

  draw(lines: readonly string[]): void {
    // What has scrolled out of the window can not be written over.
    const shown = lines.slice(0, (this.#terminal.rows ?? Infinity) - 1)
    const up = this.#height === 0 ? '' : `\u001B[${this.#height}A`
    const body = shown.map((line) => `${line}${clearToEndOfLine}\n`).join('')
    this.#terminal.write(`${beginFrame}${up}\r${body}${clearBelow}${endFrame}`)
    this.#height = shown.length
  }

  /** Leaves the last lines where they are. */
  [Symbol.dispose](): void {
    this.#terminal.write(showCursor)
    this.#height = 0
  }
}
