/*
 * What the encoders of lz4 and snappy share: finding bytes that were there before. The table is kept
 * between blocks, since a fresh one would cost more than a small block.
 */

const bitsMin = 8
const bitsMax = 14
const positions = new Int32Array(1 << bitsMax)

/** The shortest repetition that is looked for. */
export const matchBytesMin = 4

/** For each hash of four bytes, where they were seen last. */
export class MatchTable {
  readonly view: DataView
  readonly #shift: number

  /** For `byteCount` bytes of `source`. Ends the use of the table that was made before. */
  constructor(source: Uint8Array, byteCount: number) {
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    const bits = Math.min(bitsMax, Math.max(bitsMin, 32 - Math.clz32(byteCount)))
    this.#shift = 32 - bits
    positions.fill(-1, 0, 1 << bits)
  }

  /** Where the four bytes at `from` were seen before, or -1; notes that they are here. */
  find(from: number): number {
    const word = this.view.getUint32(from, true)
    const hash = Math.imul(word, 0x9e3779b1) >>> this.#shift
    const candidate = positions[hash] as number
    positions[hash] = from
    return candidate >= 0 && this.view.getUint32(candidate, true) === word ? candidate : -1
  }

  /** Notes the four bytes at `from`. */
  note(from: number): void {
    positions[Math.imul(this.view.getUint32(from, true), 0x9e3779b1) >>> this.#shift] = from
  }

  /** How far the bytes from `from` on, up to `end`, repeat those `distance` back. */
  extend(from: number, distance: number, end: number): number {
    const view = this.view
    while (
      from + 4 <= end &&
      view.getUint32(from, true) === view.getUint32(from - distance, true)
    ) {
      from += 4
    }
    while (from < end && view.getUint8(from) === view.getUint8(from - distance)) from++
    return from
  }
}
