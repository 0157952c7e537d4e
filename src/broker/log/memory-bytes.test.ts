import { describe, expect, it } from 'vitest'
import { MemoryBytes } from './memory-bytes.ts'

function filled(length: number, byte: number): Buffer {
  return Buffer.allocUnsafeSlow(length).fill(byte)
}

/** The memory behind what a segment keeps: whole array buffers, each counted once. */
function pinnedBytes(bytes: MemoryBytes): number {
  const buffers = new Set<ArrayBufferLike>()
  for (let position = 0; position < bytes.size;) {
    const chunk = bytes.chunkAt(position)
    buffers.add(chunk.buffer)
    position += chunk.length
  }
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

describe('MemoryBytes', () => {
  it('gives back what was appended, small and large batches in turn', () => {
    const bytes = new MemoryBytes()
    const batches = Array.from({ length: 300 }, (_, n) => filled(n % 7 === 0 ? 40_000 : 90 + n, n))
    let position = 0
    const positions = batches.map((batch) => {
      bytes.append(batch)
      const start = position
      position += batch.length
      return start
    })
    expect(bytes.size).toBe(position)
    for (const [index, batch] of batches.entries()) {
      const chunk = bytes.chunkAt(positions[index] as number)
      expect(chunk.subarray(0, batch.length).equals(batch)).toBe(true)
    }
    expect(bytes.chunkAt(position)).toHaveLength(0)
  })

  it('keeps the buffer of batches that are kept together, without copying', () => {
    const request = filled(120_000, 1)
    const batches = [0, 1, 2].map((n) => request.subarray(n * 40_000, (n + 1) * 40_000))
    const kept = batches.map((batch) => {
      const bytes = new MemoryBytes()
      bytes.append(batch, request.length)
      return bytes.chunkAt(0).buffer
    })
    expect(kept.map((buffer) => buffer === request.buffer)).toEqual([true, true, true])
    const alone = new MemoryBytes()
    alone.append(batches[0] as Buffer)
    expect(alone.chunkAt(0).buffer).not.toBe(request.buffer)
  })

  it('does not pin the chunk that a batch came in', () => {
    const bytes = new MemoryBytes()
    for (let n = 0; n < 50; n++) bytes.append(filled(1_000_000, n).subarray(0, 30_000))
    expect(pinnedBytes(bytes)).toBe(50 * 30_000)
  })

  it('keeps a batch that came alone without copying it', () => {
    const bytes = new MemoryBytes()
    const batch = filled(100_000, 1)
    bytes.append(batch)
    expect(bytes.chunkAt(0).buffer).toBe(batch.buffer)
  })

  it('needs little more than the bytes, whatever the size of the batches', () => {
    for (const batchBytes of [120, 700, 16_000, 16_500, 200_000]) {
      const bytes = new MemoryBytes()
      const chunk = filled(batchBytes * 4, 1)
      while (bytes.size < 5_000_000) bytes.append(chunk.subarray(0, batchBytes))
      expect(pinnedBytes(bytes)).toBeLessThan(bytes.size * 1.15)
    }
  })

  it('stays small for a partition with a single record', () => {
    const bytes = new MemoryBytes()
    bytes.append(filled(100, 1))
    expect(pinnedBytes(bytes)).toBeLessThanOrEqual(512)
  })

  it('never changes bytes that a reader has', () => {
    const bytes = new MemoryBytes()
    bytes.append(filled(100, 1))
    const chunk = bytes.chunkAt(0)
    for (let n = 0; n < 1000; n++) bytes.append(filled(100, 2))
    expect(chunk.equals(filled(100, 1))).toBe(true)
  })
})
