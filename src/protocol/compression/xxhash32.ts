const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

/** xxHash, 32 bits, seed 0, of the bytes from `start` to `end`: the checksum of LZ4 frames. */
export function xxhash32(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let hash = prime5
  let position = start
  if (end - start >= 16) {
    let lane1 = (prime1 + prime2) | 0
    let lane2 = prime2
    let lane3 = 0
    let lane4 = -prime1
    for (; position + 16 <= end; position += 16) {
      lane1 = mix(lane1, view.getInt32(position, true))
      lane2 = mix(lane2, view.getInt32(position + 4, true))
      lane3 = mix(lane3, view.getInt32(position + 8, true))
      lane4 = mix(lane4, view.getInt32(position + 12, true))
    }
    hash = rotate(lane1, 1) + rotate(lane2, 7) + rotate(lane3, 12) + rotate(lane4, 18)
  }
  hash = (hash + (end - start)) | 0
  for (; position + 4 <= end; position += 4) {
    const sum = hash + Math.imul(view.getInt32(position, true), prime3)
    hash = Math.imul(rotate(sum, 17), prime4)
  }
  for (; position < end; position++) {
    const sum = hash + Math.imul(view.getUint8(position), prime5)
    hash = Math.imul(rotate(sum, 11), prime1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mix(lane: number, word: number): number {
  return Math.imul(rotate(lane + Math.imul(word, prime2), 13), prime1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
