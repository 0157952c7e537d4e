/** How many keys are looked at in one round of compaction; a log with more takes several. */
const keysMax = 1_000_000

/** The latest offset of each key in a stretch of the log, which grows from its start. */
export class KeyOffsets {
  readonly #offsets = new Map<string, number>()
  /** Records from here on were not looked at. */
  endOffset: number

  constructor(startOffset: number) {
    this.endOffset = startOffset
  }

  get isFull(): boolean {
    return this.#offsets.size >= keysMax
  }

  add(key: Buffer, offset: number): void {
    this.#offsets.set(textOf(key), offset)
  }

  /** Whether a later record of the stretch has the same key. */
  isOutdated(key: Buffer, offset: number): boolean {
    const latest = this.#offsets.get(textOf(key))
    return latest !== undefined && offset < latest
  }
}

/** One character a byte: different keys have different texts. */
function textOf(key: Buffer): string {
  return key.toString('latin1')
}
