import { isMillraceError } from '../../errors.ts'
import { compressions, decompress } from './compression.ts'
import type { Compression } from './compression.ts'

/*
 * What a fuzzer calls. Not part of the library: the tests run these functions for a moment, a longer
 * run calls them with other seeds.
 */

/** Numbers from 0 up to 1 that follow from `seed` alone. */
export function seededFractions(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const interesting = [0, 1, 0x7f, 0x80, 0xff]

/** A copy of `bytes` with a few bytes changed, inserted, removed, doubled or cut off. */
export function mutate(bytes: Uint8Array, random: () => number): Buffer {
  let result = Buffer.from(bytes)
  const below = (bound: number): number => Math.floor(random() * bound)
  for (let count = 1 + below(4); count > 0; count--) {
    const at = below(result.length + 1)
    const length = Math.min(1 + below(8), result.length - at)
    const choice = below(6)
    if (choice === 0) result = result.subarray(0, at)
    else if (choice === 1)
      result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)])
    else if (choice === 2)
      result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)])
    else if (at < result.length && choice === 3) result[at] = interesting[below(5)] ?? 0
    else if (at < result.length && choice === 4) result[at] = (result[at] ?? 0) ^ (1 << below(8))
    else if (at < result.length) result[at] = below(256)
  }
  return result
}

/** Decompresses what may be anything: all that may come of it is content or one of our errors. */
export function fuzzDecompress(
  codec: Compression,
  bytes: Uint8Array,
  outputBytesMax: number,
): Buffer | undefined {
  try {
    const content = decompress(codec, bytes, outputBytesMax)
    if (content.length <= outputBytesMax) return content
  } catch (error) {
    if (isMillraceError(error)) return undefined
    throw error
  }
  throw new Error(`${codec} answered more than the ${outputBytesMax} bytes allowed`)
}

/** The codecs, without 'none'. */
export const codecs = compressions.filter((codec) => codec !== 'none')
