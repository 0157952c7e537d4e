/** 64 bits that stand for an event. Two of them come out alike by a chance of one to billions of billions. */
export class EventHash {
  /** A whole number of 32 bits, with a sign; as is the other. They are never both 0. */
  readonly low: number
  readonly high: number

  constructor(low: number, high: number) {
    this.low = low
    this.high = high
  }
}

const lowFactor = 0x85ebca6b
const highFactor = 0xc2b2ae35

/**
 * Goes on from what stands for something with a text that belongs to it. Two characters go into both halves at a time, by
 * steps that can be undone: texts that differ in one place differ in both.
 */
export function hashOf(from: EventHash, text: string): EventHash {
  let { low, high } = from
  const { length } = text
  for (let at = 0; at < length; at += 2) {
    const second = at + 1 < length ? text.charCodeAt(at + 1) : 0
    const both = text.charCodeAt(at) | (second << 16)
    low = Math.imul(low ^ both, lowFactor)
    low ^= low >>> 15
    high = Math.imul(high ^ both, highFactor)
    high ^= high >>> 13
  }
  low = mixed(low ^ length)
  high = mixed(high ^ low)
  return new EventHash(low === 0 && high === 0 ? 1 : low, high)
}

function mixed(word: number): number {
  let result = Math.imul(word ^ (word >>> 16), lowFactor)
  result = Math.imul(result ^ (result >>> 13), highFactor)
  return result ^ (result >>> 16)
}
