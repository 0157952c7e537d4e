/*
 * xxHash of 64 bits, of which Zstandard stores the low 32. JavaScript multiplies 32 bits exactly, so
 * a number of 64 bits is kept as two halves, and products are put together from 16-bit pieces.
 * BigInt would do the same fifty times slower.
 */

interface Long {
  high: number
  low: number
}

const prime1: Readonly<Long> = { high: 0x9e3779b1, low: 0x85ebca87 }
const prime2: Readonly<Long> = { high: 0xc2b2ae3d, low: 0x27d4eb4f }
const prime3: Readonly<Long> = { high: 0x165667b1, low: 0x9e3779f9 }
const prime4: Readonly<Long> = { high: 0x85ebca77, low: 0xc2b2ae63 }
const prime5: Readonly<Long> = { high: 0x27d4eb2f, low: 0x165667c5 }

/** The low 32 bits of xxHash, 64 bits, seed 0, of the bytes from `start` to `end`. */
export function xxhash64Low(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word: Long = { high: 0, low: 0 }
  let hash: Long = { ...prime5 }
  let position = start
  if (end - start >= 32) {
    const lanes: Long[] = [{ ...prime1 }, { ...prime2 }, { high: 0, low: 0 }, negated(prime1)]
    add(lanes[0] as Long, prime2)
    while (position + 32 <= end) {
      for (const lane of lanes) {
        readWord(view, position, word)
        mix(lane, word)
        position += 8
      }
    }
    hash = joined(lanes as [Long, Long, Long, Long])
  }
  add(hash, { high: 0, low: end - start })
  for (; position + 8 <= end; position += 8) {
    readWord(view, position, word)
    const lane = { high: 0, low: 0 }
    mix(lane, word)
    mixIn(hash, lane, 27, prime1, prime4)
  }
  if (position + 4 <= end) {
    const part = { high: 0, low: view.getInt32(position, true) }
    multiply(part, prime1)
    mixIn(hash, part, 23, prime2, prime3)
    position += 4
  }
  for (; position < end; position++) {
    const part = { high: 0, low: view.getUint8(position) }
    multiply(part, prime5)
    exclusiveOr(hash, part)
    rotate(hash, 11)
    multiply(hash, prime1)
  }
  return avalanche(hash)
}

function readWord(view: DataView, position: number, word: Long): void {
  word.low = view.getInt32(position, true)
  word.high = view.getInt32(position + 4, true)
}

function joined(lanes: readonly [Long, Long, Long, Long]): Long {
  const hash = { high: 0, low: 0 }
  for (const [index, bits] of [1, 7, 12, 18].entries()) {
    const lane = { ...(lanes[index] as Long) }
    rotate(lane, bits)
    add(hash, lane)
  }
  for (const from of lanes) {
    const lane = { high: 0, low: 0 }
    mix(lane, from)
    exclusiveOr(hash, lane)
    multiply(hash, prime1)
    add(hash, prime4)
  }
  return hash
}

function avalanche(hash: Long): number {
  exclusiveOr(hash, shifted(hash, 33))
  multiply(hash, prime2)
  exclusiveOr(hash, shifted(hash, 29))
  multiply(hash, prime3)
  exclusiveOr(hash, shifted(hash, 32))
  return hash.low >>> 0
}

/** One round: `lane = rotate(lane + word * prime2, 31) * prime1`. Changes `word` too. */
function mix(lane: Long, word: Long): void {
  const product = { high: word.high, low: word.low }
  multiply(product, prime2)
  add(lane, product)
  rotate(lane, 31)
  multiply(lane, prime1)
}

/** `hash = rotate(hash ^ part, bits) * factor + summand`. */
function mixIn(hash: Long, part: Long, bits: number, factor: Long, summand: Long): void {
  exclusiveOr(hash, part)
  rotate(hash, bits)
  multiply(hash, factor)
  add(hash, summand)
}

function negated(value: Long): Long {
  const low = -value.low | 0
  return { high: (~value.high + (low === 0 ? 1 : 0)) | 0, low }
}

function add(target: Long, value: Long): void {
  const low = (target.low >>> 0) + (value.low >>> 0)
  target.low = low | 0
  target.high = (target.high + value.high + (low > 0xffff_ffff ? 1 : 0)) | 0
}

function exclusiveOr(target: Long, value: Long): void {
  target.low ^= value.low
  target.high ^= value.high
}

function multiply(target: Long, value: Long): void {
  const { high, low } = target
  const a = low >>> 16
  const b = low & 0xffff
  const c = value.low >>> 16
  const d = value.low & 0xffff
  const bd = Math.imul(b, d) >>> 0
  const middle = Math.imul(a, d) >>> 0
  // Neither sum passes 2^53, so plain numbers carry it exactly.
  const carry = middle + (bd >>> 16) + (Math.imul(b, c) >>> 0)
  const lowHigh = Math.imul(a, c) + Math.floor(carry / 0x1_0000)
  target.high = (lowHigh + Math.imul(high, value.low) + Math.imul(low, value.high)) | 0
  target.low = Math.imul(low, value.low)
}

function rotate(target: Long, bits: number): void {
  const { high, low } = target
  target.high = (high << bits) | (low >>> (32 - bits))
  target.low = (low << bits) | (high >>> (32 - bits))
}

/** `value >>> bits`, for `bits` from 1 to 63. */
function shifted(value: Long, bits: number): Long {
  if (bits >= 32) return { high: 0, low: value.high >>> (bits - 32) }
  return { high: value.high >>> bits, low: (value.low >>> bits) | (value.high << (32 - bits)) }
}
