/**
 * A number that tells bytes from others: 52 bits, of which no two values of the same event come out alike but by a chance of
 * one to billions. It protects from mistakes, not from an adversary.
 *
 * Two lanes of four bytes each, every step of which can be undone: values that differ in one place never come out alike.
 */
export function fingerprintOf(bytes: Uint8Array | null): number {
  if (bytes === null) return -1
  const { length } = bytes
  const whole = length - (length % 8)
  let first = 0x9e3779b9 | 0
  let second = length | 0
  let at = 0
  for (; at < whole; at += 8) {
    first = Math.imul(first ^ wordAt(bytes, at), 0x85ebca6b)
    first ^= first >>> 15
    second = Math.imul(second ^ wordAt(bytes, at + 4), 0xc2b2ae35)
    second ^= second >>> 13
  }
  for (; at < length; at++) {
    first = Math.imul(first ^ (bytes[at] as number), 0x85ebca6b)
    first ^= first >>> 15
  }
  const low = mixed(first ^ Math.imul(second, 0x27d4eb2f)) >>> 0
  const high = mixed(second ^ Math.imul(low, 0x165667b1)) & 0xfffff
  return high * 2 ** 32 + low
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function mixed(word: number): number {
  let result = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  result = Math.imul(result ^ (result >>> 13), 0xc2b2ae35)
  return result ^ (result >>> 16)
}
