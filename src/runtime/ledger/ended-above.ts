import { numberLength } from './byte-cursor.ts'
import type { ByteSink, ByteSource } from './byte-cursor.ts'
import { windowMax } from './ledger.ts'

/*
 * What has ended above the frontier, in the shorter of two forms:
 *
 *   0                                    nothing
 *   1, bytes, byte...                    a bit an offset, from the frontier on, the lowest of a byte first
 *   2, runs, length...                   how many in a row are open, have ended, are open, ... from the frontier
 *                                        on; only the first may be 0, and the last have ended
 */
const nothing = 0
const bitmap = 1
const runLengths = 2

const has = (bits: Uint8Array, index: number) => ((bits[index >>> 3] as number) >>> (index & 7)) & 1

/** How many bits are set. */
export function countEnded(bits: Uint8Array): number {
  let count = 0
  for (const byte of bits) for (let left = byte; left !== 0; left &= left - 1) count += 1
  return count
}

/** Takes room for at least one byte. Answers how many offsets it names: those from the lowest on that fit. */
export function writeEndedAbove(sink: ByteSink, bits: Uint8Array, bytesMax: number): number {
  const bitsLength = 1 + numberLength(bits.length) + bits.length
  const runs = runsOf(bits)
  const runsLength = lengthOfRuns(runs)
  if (bits.length === 0) return writeNothing(sink)
  if (Math.min(bitsLength, runsLength) <= bytesMax) {
    return runsLength < bitsLength ? writeRuns(sink, runs) : writeBitmap(sink, bits)
  }
  const someBits = bitsWithin(bits, bytesMax)
  const someRuns = runsWithin(runs, bytesMax)
  const count = countEnded(someBits)
  if (count === 0 && someRuns.length === 0) return writeNothing(sink)
  return endedIn(someRuns) > count ? writeRuns(sink, someRuns) : writeBitmap(sink, someBits)
}

/** What `writeEndedAbove` wrote; the source has failed if it could not have. */
export function readEndedAbove(source: ByteSource): Uint8Array {
  const form = source.byte()
  if (form === bitmap) return readBitmap(source)
  if (form === runLengths) return readRuns(source)
  if (form !== nothing) source.refuse()
  return new Uint8Array(0)
}

function writeNothing(sink: ByteSink): number {
  sink.byte(nothing)
  return 0
}

function writeBitmap(sink: ByteSink, bits: Uint8Array): number {
  sink.byte(bitmap)
  sink.number(bits.length)
  sink.bytes(bits)
  return countEnded(bits)
}

function readBitmap(source: ByteSource): Uint8Array {
  const bits = source.bytes(source.number(windowMax / 8))
  if (bits.length === 0 || bits[bits.length - 1] === 0) source.refuse()
  return Uint8Array.from(bits)
}

function writeRuns(sink: ByteSink, runs: readonly number[]): number {
  sink.byte(runLengths)
  sink.number(runs.length)
  for (const length of runs) sink.number(length)
  return endedIn(runs)
}

function readRuns(source: ByteSource): Uint8Array {
  const bits = new Uint8Array(windowMax / 8)
  const count = source.number(windowMax)
  if (count === 0 || count % 2 === 1) source.refuse()
  let index = 0
  for (let run = 0; run < count && !source.hasFailed; run += 1) {
    const length = source.number(windowMax - index)
    if (length === 0 && run > 0) source.refuse()
    const end = index + length
    if (run % 2 === 0) index = end
    for (; index < end; index += 1)
      bits[index >>> 3] = (bits[index >>> 3] as number) | (1 << (index & 7))
  }
  return bits.slice(0, Math.ceil(index / 8))
}

/** How many in a row are open, have ended, and so on; without those that are open behind the last that has ended. */
function runsOf(bits: Uint8Array): number[] {
  const runs: number[] = []
  let start = 0
  for (let index = 0; index < bits.length * 8; index += 1) {
    if (has(bits, index) !== runs.length % 2) {
      runs.push(index - start)
      start = index
    }
  }
  if (runs.length % 2 === 1) runs.push(bits.length * 8 - start)
  return runs
}

function endedIn(runs: readonly number[]): number {
  return runs.reduce((sum, length, index) => (index % 2 === 1 ? sum + length : sum), 0)
}

function lengthOfRuns(runs: readonly number[]): number {
  return runs.reduce((sum, length) => sum + numberLength(length), 1 + numberLength(runs.length))
}

function bitsWithin(bits: Uint8Array, bytesMax: number): Uint8Array {
  let length = Math.min(bits.length, Math.max(0, bytesMax - 1 - numberLength(bits.length)))
  while (length > 0 && bits[length - 1] === 0) length -= 1
  return bits.subarray(0, length)
}

function runsWithin(runs: readonly number[], bytesMax: number): readonly number[] {
  let length = 1 + numberLength(runs.length)
  let count = 0
  while (count < runs.length) {
    length += numberLength(runs[count] as number) + numberLength(runs[count + 1] as number)
    if (length > bytesMax) break
    count += 2
  }
  return runs.slice(0, count)
}
