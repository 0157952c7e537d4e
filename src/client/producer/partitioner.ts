import type { ProducerRecord, RecordBytes } from './producer-record.ts'

/**
 * Chooses the partition of a record that names none: a whole number from 0 up to, not including,
 * `partitionCount`; undefined leaves the choice to the usual rules.
 */
export type Partitioner = (record: ProducerRecord, partitionCount: number) => number | undefined

const multiplier = 0x5bd1e995
const seed = 0x9747b28c

/** The partition of a key, as Java's client chooses it. */
export function partitionOfKey(key: Exclude<RecordBytes, null>, partitionCount: number): number {
  return hashOfKey(key) % partitionCount
}

/** What the partition of a key is chosen by: the rest when it is divided by their number. */
export function hashOfKey(key: Exclude<RecordBytes, null>): number {
  return (typeof key === 'string' ? hashOfText(key) : murmur2(key)) & 0x7fff_ffff
}

/** The 32-bit hash MurmurHash2 with the seed that Kafka uses. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const wholeEnd = length & ~3
  let hash = seed ^ length
  for (let at = 0; at < wholeEnd; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = mixWord(hash, word)
  }
  let rest = 0
  for (let at = length - 1; at >= wholeEnd; at--) rest = (rest << 8) | (bytes[at] as number)
  return finish(hash, rest, length)
}

/** The same of the text's UTF-8, without writing it where it is ASCII. */
function hashOfText(text: string): number {
  const { length } = text
  const wholeEnd = length & ~3
  let hash = seed ^ length
  let allBits = 0
  for (let at = 0; at < wholeEnd; at += 4) {
    const a = text.charCodeAt(at)
    const b = text.charCodeAt(at + 1)
    const c = text.charCodeAt(at + 2)
    const d = text.charCodeAt(at + 3)
    allBits |= a | b | c | d
    hash = mixWord(hash, a | (b << 8) | (c << 16) | (d << 24))
  }
  let rest = 0
  for (let at = length - 1; at >= wholeEnd; at--) {
    const unit = text.charCodeAt(at)
    allBits |= unit
    rest = (rest << 8) | unit
  }
  return allBits > 0x7f ? murmur2(Buffer.from(text)) : finish(hash, rest, length)
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(word, multiplier)
  mixed ^= mixed >>> 24
  return Math.imul(hash, multiplier) ^ Math.imul(mixed, multiplier)
}

function finish(hash: number, rest: number, length: number): number {
  let mixed = (length & 3) === 0 ? hash : Math.imul(hash ^ rest, multiplier)
  mixed = Math.imul(mixed ^ (mixed >>> 13), multiplier)
  return mixed ^ (mixed >>> 15)
}
