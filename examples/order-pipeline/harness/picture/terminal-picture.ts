/** A piece of text as it is shown: its style is what stands in the last escape sequence for it. */
export interface Span {
  readonly style: string
  readonly text: string
}

/** As much of a terminal as `Screen` needs: it knows what is shown after everything that was written. */
export class TerminalPicture {
  readonly #rows: { style: string; character: string }[][] = [[]]
  #row = 0
  #column = 0
  #style = ''

  write(text: string): void {
    for (const [whole, parameters = '', final = ''] of text.matchAll(
      /\u001B\[\??([\d;]*)([A-Za-z])|[^]/gu,
    )) {
      if (final === '') this.#put(whole)
      else this.#obey(parameters, final)
    }
  }

  /** What is shown, in spans of one style each. */
  get spans(): readonly (readonly Span[])[] {
    const rows = this.#rows.map((row) => {
      const spans: { style: string; text: string }[] = []
      for (const { style, character } of row) {
        const last = spans.at(-1)
        if (last?.style === style) last.text += character
        else spans.push({ style, text: character })
      }
      return spans
    })
    return rows.at(-1)?.length === 0 ? rows.slice(0, -1) : rows
  }

  get lines(): readonly string[] {
    return this.spans.map((spans) => spans.map(({ text }) => text).join(''))
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0
    else if (character === '\n') this.#newLine()
    else this.#line[this.#column++] = { style: this.#style, character }
  }

  #newLine(): void {
    this.#row += 1
    this.#column = 0
    while (this.#rows.length <= this.#row) this.#rows.push([])
  }

  #obey(parameters: string, final: string): void {
    if (final === 'm') this.#style = parameters === '0' ? '' : parameters
    if (final === 'A') this.#row = Math.max(0, this.#row - Number(parameters))
    if (final === 'K') this.#line.length = this.#column
    if (final === 'J') {
      this.#line.length = this.#column
      this.#rows.length = this.#row + 1
    }
  }

  get #line(): { style: string; character: string }[] {
    return (this.#rows[this.#row] ??= [])
  }
}
