import type { SeededRandom } from './seeded-random.ts'

/** A change of a file that may not have reached the disk. */
interface Change {
  readonly sequence: number
  readonly position: number
  /** Undefined: the file was cut, or filled up with zeros, to `position`. */
  readonly bytes: Buffer | undefined
  /** Lost: its sync failed, and later ones pass it over; it may be on the disk all the same. */
  state: 'unsynced' | 'synced' | 'lost'
}

const sectorBytes = 512

/** Beyond this many the system writes the oldest change to the disk by itself. */
const changesMax = 1_024

/**
 * The content of a file: as the page cache has it, and as the disk may have it.
 *
 * Each write and truncation is kept until it is synced. A power failure keeps what was synced, and a
 * random part of the rest: some of the changes, the last of them perhaps torn.
 */
export class FileContent {
  #cached = new GrowingBytes()
  #durable = new GrowingBytes()
  #changes: Change[] = []
  #sequence = 0

  get size(): number {
    return this.#cached.length
  }

  read(target: Uint8Array, position: number): number {
    return this.#cached.read(target, position)
  }

  /** All of it, as the page cache has it. */
  snapshot(): Buffer {
    return this.#cached.snapshot()
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    this.#cached.write(bytes, position)
    this.#note(position, Buffer.from(bytes))
  }

  truncate(size: number): void {
    this.#cached.truncate(size)
    this.#note(size, undefined)
  }

  /** Names the changes so far, for `synced` and `lost`. */
  mark(): number {
    return this.#sequence
  }

  /** What was changed up to the mark is on the disk. */
  synced(mark: number): void {
    this.#settle(mark, 'synced')
    const firstOpen = this.#changes.findIndex(({ state }) => state !== 'synced')
    const count = firstOpen === -1 ? this.#changes.length : firstOpen
    for (const change of this.#changes.splice(0, count)) apply(this.#durable, change)
  }

  /** What was changed up to the mark is on the disk or not, and nobody will try again. */
  lost(mark: number): void {
    this.#settle(mark, 'lost')
  }

  /** The power fails: what is on the disk is all there is. */
  losePower(random: SeededRandom): void {
    const keepProbability = random.pick([0, 0.5, 0.9, 1]) ?? 0
    const kept = this.#changes.filter(
      ({ state }) => state === 'synced' || random.chance(keepProbability),
    )
    const last = kept.at(-1)
    if (last?.bytes !== undefined && last.state !== 'synced' && random.chance(0.5)) {
      kept[kept.length - 1] = { ...last, bytes: torn(last.bytes, last.position, random) }
    }
    for (const change of kept) apply(this.#durable, change)
    this.#changes = []
    this.#cached = this.#durable.copy()
  }

  #note(position: number, bytes: Buffer | undefined): void {
    this.#sequence += 1
    this.#changes.push({ sequence: this.#sequence, position, bytes, state: 'unsynced' })
    const [oldest] = this.#changes
    if (oldest === undefined || this.#changes.length <= changesMax) return
    this.#changes.shift()
    apply(this.#durable, oldest)
  }

  #settle(mark: number, state: 'synced' | 'lost'): void {
    for (const change of this.#changes) {
      if (change.sequence > mark) break
      if (change.state === 'unsynced') change.state = state
    }
  }
}

/** The beginning of a write: cut at any byte, or where a sector of the disk begins. */
function torn(bytes: Buffer, position: number, random: SeededRandom): Buffer {
  const cut = random.integer(bytes.length + 1)
  if (random.chance(0.5)) return bytes.subarray(0, cut)
  const sectorStart = Math.floor((position + cut) / sectorBytes) * sectorBytes
  return bytes.subarray(0, Math.max(0, sectorStart - position))
}

function apply(target: GrowingBytes, { position, bytes }: Change): void {
  if (bytes === undefined) target.truncate(position)
  else target.write(bytes, position)
}

/** Bytes that can be written anywhere; what lies between is zero. */
class GrowingBytes {
  #buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  read(target: Uint8Array, position: number): number {
    const end = Math.min(this.#length, position + target.length)
    if (end <= position) return 0
    target.set(this.#buffer.subarray(position, end))
    return end - position
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    this.#reserve(position + bytes.length)
    this.#buffer.set(bytes, position)
    this.#length = Math.max(this.#length, position + bytes.length)
  }

  truncate(size: number): void {
    this.#reserve(size)
    if (size < this.#length) this.#buffer.fill(0, size, this.#length)
    this.#length = size
  }

  snapshot(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  copy(): GrowingBytes {
    const copy = new GrowingBytes()
    copy.write(this.#buffer.subarray(0, this.#length), 0)
    return copy
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const grown = Buffer.alloc(Math.max(size, 2 * this.#buffer.length, 256))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
