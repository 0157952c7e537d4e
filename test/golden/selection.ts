/** Which of the many recorded frames and record batches are worth keeping. */
import type { RecordedFrame } from '../kafka/recording-proxy.ts'

/** Larger frames say nothing that smaller ones do not. */
const frameBytesMax = 1600
/** Where a record batch says what it is, and where the bytes under its checksum start. */
const magicAt = 16
const checksumAt = 17
const attributesAt = 21
const batchHeaderBytes = 61

/**
 * Keeps two frames for each API, version and direction: the smallest, which tends to be the one
 * with nulls, errors and empty arrays, and the largest, which tends to have every array filled.
 */
export class GoldenFrames {
  readonly #kept = new Map<string, { smallest: Golden; largest: Golden }>()

  offer(frame: RecordedFrame, kafka: string): void {
    const { apiKey, apiVersion, direction, content } = frame
    const key = [apiKey, apiVersion, direction === 'request' ? 0 : 1]
      .map((part) => String(part).padStart(3, '0'))
      .join(' ')
    const golden: Golden = { key: apiKey, version: apiVersion, direction, kafka, content }
    const kept = this.#kept.get(key)
    if (kept === undefined) {
      this.#kept.set(key, { smallest: golden, largest: golden })
      return
    }
    if (content.length < kept.smallest.content.length) kept.smallest = golden
    const largest = kept.largest.content.length
    const fits = content.length <= frameBytesMax
    if (fits && (largest > frameBytesMax || content.length > largest)) kept.largest = golden
  }

  toLines(): string {
    const lines = [...this.#kept.entries()]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([, { smallest, largest }]) =>
        smallest === largest || largest.content.length > frameBytesMax
          ? [smallest]
          : [smallest, largest],
      )
    return lines.map(lineOf).join('')
  }
}

interface Golden {
  readonly key: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly kafka: string
  readonly content: Buffer
}

/**
 * Keeps the largest small record batch for each combination of attributes (codec, kind of
 * timestamp, transactional, control), number of records, and whether a producer id is set.
 */
export class GoldenBatches {
  readonly #kept = new Map<string, { kafka: string; attributes: number; content: Buffer }>()

  offer(content: Buffer, kafka: string): void {
    if (content.length > frameBytesMax) return
    const attributes = content.readInt16BE(attributesAt)
    const recordCount = Math.min(content.readInt32BE(57), 3)
    const idempotent = content.readBigInt64BE(43) >= 0n
    const key = [String(attributes).padStart(3, '0'), recordCount, idempotent].join(' ')
    const kept = this.#kept.get(key)
    if (kept === undefined || content.length > kept.content.length) {
      this.#kept.set(key, { kafka, attributes, content })
    }
  }

  toLines(): string {
    return [...this.#kept.entries()]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, batch]) => lineOf(batch))
      .join('')
  }
}

function lineOf(golden: { readonly content: Buffer }): string {
  return `${JSON.stringify({ ...golden, content: golden.content.toString('base64') })}\n`
}

/** Every whole record batch somewhere in `content`: found by its checksum, so without any codec. */
export function findBatches(content: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let start = 0; start + batchHeaderBytes <= content.length; start++) {
    if (content[start + magicAt] !== 2) continue
    const end = start + 12 + content.readInt32BE(start + 8)
    if (end < start + batchHeaderBytes || end > content.length) continue
    const batch = content.subarray(start, end)
    if (checksum(batch.subarray(attributesAt)) !== batch.readUInt32BE(checksumAt)) continue
    found.push(batch)
    start = end - 1
  }
  return found
}

/** CRC-32C, bit by bit: on purpose not the library's, which these bytes are to test. */
function checksum(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
