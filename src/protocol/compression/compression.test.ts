import fc from 'fast-check'
import { createRequire } from 'node:module'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { compress, compressions, decompress, prepareCompression } from './compression.ts'
import type { Compression } from './compression.ts'
import { codecs, fuzzDecompress, mutate, seededFractions } from './fixture/fuzz.ts'
import { compressLz4 } from './lz4.ts'

const require = createRequire(import.meta.url)

/** Other people's codecs, to compare with. */
const snappy = require('snappy') as {
  compressSync(bytes: Buffer): Buffer
  uncompressSync(bytes: Buffer): Buffer
}
const lz4 = require('lz4-napi') as {
  compressFrameSync(
    bytes: Buffer,
    options?: { contentChecksum?: boolean; blockChecksums?: boolean },
  ): Buffer
  decompressFrameSync(bytes: Buffer): Buffer
}
const fzstd = require('fzstd') as { decompress(bytes: Buffer): Uint8Array }

beforeAll(async () => {
  await prepareCompression('zstd')
})

function events(byteCount: number): Buffer {
  let text = ''
  for (let id = 0; text.length < byteCount; id++) {
    const total = ((id * 7919) % 100_003) / 100
    text += JSON.stringify({ id, type: 'ORDER_CREATED', data: { orderId: `o-${id * 31}`, total } })
  }
  return Buffer.from(text).subarray(0, byteCount)
}

function noise(byteCount: number): Buffer {
  const random = seededFractions(byteCount)
  return Buffer.from(Array.from({ length: byteCount }, () => random() * 256))
}

/** Shapes that take an encoder through its forms: runs, repetitions near and far, none at all. */
const shapes: Record<string, Buffer> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('a'),
  'a short text': Buffer.from('abcabcabcabcd'),
  'a run of one byte': Buffer.alloc(100_000, 7),
  events: events(150_000),
  noise: noise(70_000),
  'noise, then the same noise': Buffer.concat([noise(40_000), noise(40_000)]),
  'events between noise': Buffer.concat([
    noise(5000),
    events(200_000),
    noise(66_000),
    events(9000),
  ]),
  'exactly one block of lz4': events(65_536),
  'exactly one block of snappy': events(32_768),
}

/** Text, repetition and noise in pieces, as the codecs meet them. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, count]) => Buffer.alloc(count, byte)),
      fc.nat(4000).map(events),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))

function failure(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isMillraceError(error)) return error.code
    throw error
  }
  return 'none'
}

describe.each(codecs)('%s', (codec) => {
  it.each(Object.keys(shapes))('returns what was compressed: %s', (shape) => {
    const bytes = shapes[shape] ?? Buffer.alloc(0)
    const compressed = compress(codec, bytes)
    expect(decompress(codec, compressed, bytes.length).equals(bytes)).toBe(true)
  })

  it('returns what was compressed, whatever it is', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        return decompress(codec, compress(codec, bytes), bytes.length).equals(bytes)
      }),
      { seed: 3, numRuns: 60 },
    )
  })

  it('compresses what repeats, and adds little to what does not', () => {
    expect(compress(codec, events(50_000)).length).toBeLessThan(25_000)
    expect(compress(codec, noise(50_000)).length).toBeLessThan(50_200)
  })

  it('takes part of a larger buffer, and any Uint8Array', () => {
    const around = Buffer.concat([noise(100), events(500), noise(100)])
    const part = new Uint8Array(around.buffer, around.byteOffset + 100, 500)
    const compressed = Buffer.concat([noise(7), compress(codec, part), noise(7)])
    const slice = new Uint8Array(
      compressed.buffer,
      compressed.byteOffset + 7,
      compressed.length - 14,
    )
    expect(decompress(codec, slice, 500).equals(part)).toBe(true)
  })

  it('refuses content that is one byte larger than allowed', () => {
    for (const bytes of [events(20_000), Buffer.alloc(200_000), noise(3000), Buffer.from('a')]) {
      const compressed = compress(codec, bytes)
      expect(decompress(codec, compressed, bytes.length).length).toBe(bytes.length)
      expect(failure(() => decompress(codec, compressed, bytes.length - 1))).toBe(
        'MILLRACE_PROTOCOL_TOO_LARGE',
      )
    }
  })

  it('refuses a bomb without holding more than a few times the limit', () => {
    const limit = 256 * 1024
    const bomb = compress(codec, Buffer.alloc(64 * limit))
    const sizes: number[] = []
    const allocate = Buffer.allocUnsafe.bind(Buffer)
    const spy = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => {
      sizes.push(size)
      return allocate(size)
    })
    // Includes what is garbage by now, so it is at least what was held at any moment.
    const before = process.memoryUsage().arrayBuffers
    const outcome = failure(() => decompress(codec, bomb, limit))
    const allocated = process.memoryUsage().arrayBuffers - before
    spy.mockRestore()
    expect(outcome).toBe('MILLRACE_PROTOCOL_TOO_LARGE')
    expect(allocated).toBeLessThan(4 * limit)
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(limit)
  })

  it('refuses input that is cut off anywhere', () => {
    const compressed = compress(codec, events(3000))
    for (let length = 0; length < compressed.length; length++) {
      // A snappy stream has no end mark: it may end behind its header, or behind any chunk.
      if (codec === 'snappy' && length === 16) continue
      const outcome = failure(() => decompress(codec, compressed.subarray(0, length), 10_000))
      expect(outcome).toBe('MILLRACE_PROTOCOL_INVALID')
    }
  })

  it('answers mutated input with content or an error of ours', () => {
    const random = seededFractions(11)
    for (const bytes of [events(400), Buffer.alloc(5000, 1), noise(60), events(9000)]) {
      const compressed = compress(codec, bytes)
      for (let round = 0; round < 400; round++) {
        const content = fuzzDecompress(codec, mutate(compressed, random), 20_000)
        expect(content === undefined || content.length <= 20_000).toBe(true)
      }
    }
  })
})

describe('compress', () => {
  it('passes bytes through when there is no codec', () => {
    const bytes = events(100)
    expect(compress('none', bytes)).toBe(bytes)
    expect(decompress('none', bytes, 100)).toBe(bytes)
    expect(failure(() => decompress('none', bytes, 99))).toBe('MILLRACE_PROTOCOL_TOO_LARGE')
  })

  it('uses the level that is asked for', () => {
    for (const [codec, low, high] of [
      ['gzip', 1, 9],
      ['zstd', 1, 19],
    ] as const) {
      const bytes = events(100_000)
      expect(compress(codec, bytes, high).length).toBeLessThan(compress(codec, bytes, low).length)
    }
  })

  it('refuses levels that a codec does not have', () => {
    const wrong: [Compression, number][] = [
      ['gzip', 0],
      ['gzip', 10],
      ['gzip', 1.5],
      ['zstd', 23],
    ]
    for (const [codec, level] of wrong) {
      expect(failure(() => compress(codec, events(10), level))).toBe('MILLRACE_OPTION_INVALID')
    }
  })

  it('numbers the codecs as Kafka does', () => {
    expect(compressions).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  })
})

describe('what others write and read', () => {
  it.each(Object.keys(shapes))('snappy and lz4 of other makers: %s', (shape) => {
    const bytes = shapes[shape] ?? Buffer.alloc(0)
    const limit = bytes.length
    expect(decompress('snappy', snappy.compressSync(bytes), limit).equals(bytes)).toBe(true)
    expect(lz4.decompressFrameSync(compressLz4(bytes)).equals(bytes)).toBe(true)
    for (const options of [{}, { contentChecksum: true }, { blockChecksums: true }]) {
      expect(decompress('lz4', lz4.compressFrameSync(bytes, options), limit).equals(bytes)).toBe(
        true,
      )
    }
  })

  it.each(Object.keys(shapes))('zstd as another decoder reads it: %s', (shape) => {
    const bytes = shapes[shape] ?? Buffer.alloc(0)
    for (const level of [1, 3, 19]) {
      const compressed = compress('zstd', bytes, level)
      expect(Buffer.from(fzstd.decompress(compressed)).equals(bytes)).toBe(true)
    }
  })

  it('blocks of our snappy stream, chunk by chunk', () => {
    const bytes = events(80_000)
    const stream = compress('snappy', bytes)
    const chunks: Buffer[] = []
    for (let position = 16; position < stream.length;) {
      const end = position + 4 + stream.readInt32BE(position)
      chunks.push(snappy.uncompressSync(stream.subarray(position + 4, end)))
      position = end
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    expect(chunks.map((chunk) => chunk.length)).toEqual([32_768, 32_768, 14_464])
  })
})
