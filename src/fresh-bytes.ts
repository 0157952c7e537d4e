const slabBytes = 65_536
/** What is longer has memory of its own. */
const sharedBytesMax = slabBytes / 16

let slab = Buffer.allocUnsafeSlow(slabBytes)
let used = 0

/**
 * Memory that nobody else writes to, with anything in it. What tasks remember is committed and let go of together, so that many
 * values share a piece: Node's own pieces of 8 KiB hold a dozen of them, and making a piece costs more than filling it.
 */
export function freshBytes(size: number): Buffer {
  // What came before would be written over.
  if (size < 0) throw new RangeError(`memory of ${size} bytes is asked for`)
  if (size > sharedBytesMax) return Buffer.allocUnsafeSlow(size)
  if (used + size > slabBytes) {
    slab = Buffer.allocUnsafeSlow(slabBytes)
    used = 0
  }
  used += size
  return slab.subarray(used - size, used)
}
