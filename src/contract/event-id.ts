import type { Clock, Random } from '../platform/index.ts'

const poolBytes = 1_024
const chanceBytes = 8
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Half of the 12 bits behind the time, so that a millisecond has room for as many ids again. */
const counterStartMax = 2_048
const counterMax = 4_095

/**
 * A function that makes UUIDs of version 7 (RFC 9562, 5.7): each is greater than the one before it, also
 * when the clock steps back. Behind the time is a counter that begins anywhere in its lower half and
 * moves on within a millisecond; when it is used up the time of ids runs ahead of the clock. The last 62
 * bits are random.
 */
export function createEventIds(
  clock: Pick<Clock, 'now'>,
  random: Pick<Random, 'bytes'>,
): () => string {
  let pool: Uint8Array = new Uint8Array(0)
  let poolText = ''
  let used = 0
  let lastMs = -1
  let counter = 0
  let prefix = ''

  const take = (count: number): number => {
    if (used + count > pool.length) {
      pool = random.bytes(poolBytes)
      poolText = Buffer.from(pool.buffer, pool.byteOffset, pool.length).toString('hex')
      used = 0
    }
    used += count
    return used - count
  }

  const enter = (ms: number) => {
    lastMs = ms
    const at = take(2)
    counter = (((pool[at] as number) << 8) | (pool[at + 1] as number)) % counterStartMax
    const text = ms.toString(16).padStart(12, '0')
    prefix = `${text.slice(0, 8)}-${text.slice(8)}-7`
  }

  return () => {
    const now = clock.now()
    if (now > lastMs) enter(now)
    else if (counter === counterMax) enter(lastMs + 1)
    else counter++
    const at = take(chanceBytes)
    const variant = hex[((pool[at] as number) & 0x3f) | 0x80] as string
    const count = counter.toString(16).padStart(3, '0')
    const [second, third, end] = [2 * at + 2, 2 * at + 4, 2 * (at + chanceBytes)]
    return `${prefix}${count}-${variant}${poolText.slice(second, third)}-${poolText.slice(third, end)}`
  }
}
