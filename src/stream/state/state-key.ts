import type { StateKey } from '../../store/index.ts'

/*
 * Keys of the state: a character a byte. What belongs to an operator begins with its name and a zero; what begins with
 * `indexMark` finds entries by time, is made of the entries alone and is never in the changelog.
 */

/** Begins what is found by time. No name begins so. */
export const indexMark = '\x01'

/** Ends the name of an operator. */
export const nameEnd = '\x00'

/** The longest key of a record that can be remembered: what is around it has room beside it. */
export const recordKeyBytesMax = 1_500

/** A whole number from 0 to 2^53 as seven bytes that are ordered as it is. */
export function orderedNumber(value: number): string {
  const high = Math.floor(value / 2 ** 32)
  const low = value >>> 0
  return String.fromCharCode(
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  )
}

/** The number whose seven bytes begin at `at`. */
export function orderedNumberAt(key: StateKey, at: number): number {
  let value = 0
  for (let index = at; index < at + 7; index++) value = value * 256 + key.charCodeAt(index)
  return value
}

/** Two bytes of length and the key: no key is the beginning of another one. */
export function measured(key: StateKey): string {
  return String.fromCharCode(key.length >>> 8, key.length & 0xff) + key
}

/** The key that `measured` wrote at `at`. */
export function measuredAt(key: StateKey, at: number): StateKey {
  return key.slice(at + 2, measuredEnd(key, at))
}

/** Where the key that `measured` wrote at `at` ends. */
export function measuredEnd(key: StateKey, at: number): number {
  return at + 2 + key.charCodeAt(at) * 256 + key.charCodeAt(at + 1)
}

/** The smallest key behind all that begin with `prefix`, in which some byte is below 255. */
export function behind(prefix: StateKey): StateKey {
  let last = prefix.length - 1
  while (prefix.charCodeAt(last) === 0xff) last--
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1)
}

/** A text as it is in keys: its UTF-8. */
export function keyOfText(text: string): StateKey {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The text that a key is the UTF-8 of. */
export function textOfKey(key: StateKey): string {
  return Buffer.from(key, 'latin1').toString('utf8')
}
