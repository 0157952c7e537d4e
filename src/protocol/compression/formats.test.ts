import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { decompress } from './compression.ts'
import type { Compression } from './compression.ts'
import { xxhash32 } from './xxhash32.ts'
import { xxhash64Low } from './xxhash64.ts'

// Frames put together by hand, for the forms that our encoders do not write.

function bytes(...parts: (string | number | readonly number[] | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'string'
        ? Buffer.from(part, 'latin1')
        : Buffer.from(typeof part === 'number' ? [part] : part),
    ),
  )
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function uint64(value: number): Buffer {
  return Buffer.concat([uint32(value % 2 ** 32), uint32(Math.floor(value / 2 ** 32))])
}

function failure(codec: Compression, input: Buffer, outputBytesMax = 1 << 20): string {
  try {
    decompress(codec, input, outputBytesMax)
  } catch (error) {
    if (isMillraceError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'none'
}

describe('gzip', () => {
  it('reads several members', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync('two')])
    expect(decompress('gzip', members, 7).toString()).toBe('one two')
  })
})

describe('snappy', () => {
  const header = bytes([0x82], 'SNAPPY', [0], [0, 0, 0, 1], [0, 0, 0, 1])
  const chunk = bytes([0, 0, 0, 4], [2, 1 << 2], 'hi')

  it('reads a bare block with all kinds of elements', () => {
    const far = Buffer.from(Array.from({ length: 5000 }, (_, index) => index * 7))
    const block = bytes(
      [0xb3, 0x27], // 5043 bytes
      ...[(61 << 2) | 0, [(5000 - 1) & 0xff, (5000 - 1) >> 8], far],
      ...[((4 - 4) << 2) | (1 << 5) | 1, 2], // 4 bytes from 258 back
      ...[((30 - 1) << 2) | 2, [0x88, 0x13]], // 30 bytes from 5000 back
      ...[((9 - 1) << 2) | 3, [1, 0, 0, 0]], // 9 times the last byte
    )
    const content = decompress('snappy', block, 5043)
    const expected = [...far]
    for (const [distance, length] of [
      [258, 4],
      [5000, 30],
      [1, 9],
    ] as const) {
      for (let copied = 0; copied < length; copied++) {
        expected.push(expected[expected.length - distance] ?? -1)
      }
    }
    expect([...content]).toEqual(expected)
  })

  it('reads streams that were concatenated', () => {
    const stream = bytes(header, chunk, chunk, header, chunk)
    expect(decompress('snappy', stream, 6).toString()).toBe('hihihi')
    expect(decompress('snappy', header, 0).length).toBe(0)
  })

  it.each([
    ['a length that its bytes cannot hold', bytes([0x80, 0x80, 0x80, 0x05], 'abc'), 'cannot hold'],
    ['a length of six bytes', bytes([0x80, 0x80, 0x80, 0x80, 0x80, 0]), 'more than 5 bytes'],
    ['a copy from before the start', bytes([8, 4], 'hi', [1, 3]), 'leads out'],
    ['a distance of 0', bytes([8, 4], 'hi', [1, 0]), 'leads out'],
    ['literals behind the end', bytes([9, 40 << 2], 'hi'), 'pass the end'],
    ['more content than declared', bytes([1, 1 << 2], 'hi'), 'longer'],
    ['less content than declared', bytes([3, 1 << 2], 'hi'), 'shorter'],
    ['a negative chunk', bytes(header, [0xff, 0xff, 0xff, 0xff], 'hi'), 'a chunk of -1'],
    ['a chunk behind the end', bytes(header, [0, 0, 0, 5], [2, 4], 'hi'), 'a chunk of 5'],
    ['an empty chunk', bytes(header, [0, 0, 0, 0]), 'cut off'],
  ])('refuses %s', (_, input, problem) => {
    expect(failure('snappy', input)).toMatch(problem)
  })

  it('believes no declared length, and sums up those it can', () => {
    const declared = bytes([0x80, 0x80, 0x80, 0x05], Buffer.alloc(600_000)) // 10 MiB, possible
    expect(failure('snappy', declared, 1 << 20)).toMatch('MILLRACE_PROTOCOL_TOO_LARGE')
    const chunks = bytes(header, ...Array.from({ length: 100 }, () => chunk))
    expect(failure('snappy', chunks, 199)).toMatch('MILLRACE_PROTOCOL_TOO_LARGE')
    expect(failure('snappy', bytes([0x82], 'SNAPPY', [0], [0, 0, 0, 2], [0, 0, 0, 2]))).toMatch(
      'MILLRACE_PROTOCOL_UNSUPPORTED',
    )
  })
})

describe('lz4', () => {
  const magic = uint32(0x184d2204)

  function frame(flags: number, blockSize: number, extra: Buffer, ...rest: Buffer[]): Buffer {
    const descriptor = bytes([flags, blockSize], extra)
    const checksum = (xxhash32(descriptor, 0, descriptor.length) >>> 8) & 0xff
    return bytes(magic, descriptor, checksum, ...rest)
  }

  const none = Buffer.alloc(0)
  const stored = bytes(uint32(0x8000_0002), 'hi')
  const end = uint32(0)
  // 'abcd', then 8 bytes from 4 back, then 5 literals.
  const block = bytes([0x44], 'abcd', [4, 0], [0x50], 'wxyz!')
  const blockContent = 'abcdabcdabcdwxyz!'

  it('reads stored blocks, blocks that depend on the one before, and frames in a row', () => {
    const dependent = bytes([0x04], [17, 0], [0x50], 'again')
    const input = bytes(
      frame(0x60, 0x40, none, stored, end),
      ...[uint32(0x184d2a53), uint32(3), 'xyz'], // skippable
      frame(0x40, 0x70, none, uint32(block.length), block, uint32(9), dependent, end),
    )
    // The token's 4 makes a match of 8 bytes, from 17 back: the start of the block before.
    expect(decompress('lz4', input, 100).toString()).toBe(`hi${blockContent}abcdabcdagain`)
  })

  it('reads content sizes and checksums, and holds frames to them', () => {
    const content = Buffer.from(blockContent)
    const blockSum = uint32(xxhash32(block, 0, block.length))
    const contentSum = uint32(xxhash32(content, 0, content.length))
    const all = (size: number, first: Buffer, second: Buffer): Buffer =>
      frame(0x7c, 0x40, uint64(size), uint32(block.length), block, first, end, second)
    expect(decompress('lz4', all(17, blockSum, contentSum), 17).toString()).toBe(blockContent)
    expect(failure('lz4', all(18, blockSum, contentSum))).toMatch('declared are 18')
    expect(failure('lz4', all(17, contentSum, contentSum))).toMatch('checksum of a block')
    expect(failure('lz4', all(17, blockSum, blockSum))).toMatch('checksum of the content')
  })

  it.each([
    ['no frame', Buffer.from('hello'), 'no frame starts'],
    [
      'a wrong header checksum',
      bytes(magic, [0x60, 0x40, 0x83], end),
      'checksum of the frame header',
    ],
    ['another version', frame(0xa0, 0x40, none, end), 'flags'],
    ['a block size that does not exist', frame(0x60, 0x30, none, end), 'flags'],
    ['a dictionary', frame(0x61, 0x40, uint32(1), end), 'UNSUPPORTED'],
    ['a missing end mark', frame(0x60, 0x40, none, stored), 'cut off'],
    [
      'a distance of 0',
      frame(0x60, 0x40, none, uint32(6), bytes([0x14], 'a', [0, 0], [0], [0]), end),
      'leads out',
    ],
    [
      'a distance into the block before',
      frame(0x60, 0x40, none, stored, uint32(9), bytes([0x04, 2, 0, 0x50], 'again'), end),
      'leads out',
    ],
    [
      'a block that ends with a match',
      frame(0x60, 0x40, none, uint32(4), bytes([0x10], 'a', [1, 0]), end),
      'no literals',
    ],
    [
      'a stored block above the declared size',
      frame(0x60, 0x40, none, uint32(0x8001_0001), Buffer.alloc(65_537), end),
      'more than the 65536',
    ],
  ])('refuses %s', (_, input, problem) => {
    expect(failure('lz4', input)).toMatch(problem)
  })

  it('refuses a block that decodes to more than the declared size, whatever the limit', () => {
    const run = Buffer.alloc(300, 255)
    const input = frame(
      0x60,
      0x40,
      none,
      uint32(310),
      bytes([0x1f], 'a', [1, 0], run, [0], [0x50], '12345'),
      end,
    )
    expect(failure('lz4', input)).toMatch('more than the 65536')
    expect(failure('lz4', input, 1000)).toMatch('MILLRACE_PROTOCOL_TOO_LARGE')
  })

  it('does not believe a declared content size', () => {
    const input = frame(0x68, 0x40, uint64(10 * 1024 * 1024), stored, end)
    expect(failure('lz4', input)).toMatch('declared are 10485760')
  })
})

describe('zstd', () => {
  const magic = uint32(0xfd2fb528)
  const uint24 = (value: number): Buffer => uint32(value).subarray(0, 3)
  const block = (isLast: boolean, kind: number, size: number, content: Buffer | string): Buffer =>
    bytes(uint24((isLast ? 1 : 0) | (kind << 1) | (size << 3)), content)

  it('reads a frame of libzstd with checksum', () => {
    const frame = Buffer.from(
      'KLUv/WSdAZ0CAJIDDBDAd0a3BGj5T6wku8lfOTAL782riWf53ryaeIbvzauJd+/Nq4kHEjpGlDBlFcogASioEcC3fwbg' +
        '5WoQEkERLvkBV5u0kELaDSmVql4FA2QVKsdITA==',
      'base64',
    )
    const lines = Array.from({ length: 40 }, (_, line) => `line ${line} of forty`).join('\n')
    expect(decompress('zstd', frame, 1000).toString()).toBe(lines)
    frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1)
    expect(failure('zstd', frame)).toMatch('checksum of the content')
  })

  it('reads stored and repeated blocks, frames without content size, and frames in a row', () => {
    const input = bytes(
      ...[magic, [0x00, 0x58], block(false, 0, 2, 'ab'), block(true, 1, 5, 'c')],
      ...[uint32(0x184d2a5f), uint32(2), 'xx'], // skippable
      ...[magic, [0x20, 0x03], block(true, 0, 3, 'def')],
    )
    expect(decompress('zstd', input, 10).toString()).toBe('abcccccdef')
  })

  it('needs no memory for the window that a frame declares', () => {
    const widest = bytes(magic, [0x00, 0xff], block(true, 0, 2, 'ab'))
    expect(decompress('zstd', widest, 2).toString()).toBe('ab')
  })

  it.each([
    ['no frame', Buffer.from('hello, world'), 'no frame starts'],
    ['a reserved bit', bytes(magic, [0x28, 0], block(true, 0, 0, '')), 'reserved bit'],
    ['a dictionary', bytes(magic, [0x21, 9, 0], block(true, 0, 0, '')), 'UNSUPPORTED'],
    ['a reserved block', bytes(magic, [0x20, 0], block(true, 3, 0, '')), 'reserved kind'],
    ['a block of 129 KiB', bytes(magic, [0x00, 0x58], block(true, 1, 132_096, 'a')), '132096'],
    ['a missing last block', bytes(magic, [0x20, 2], block(false, 0, 2, 'ab')), 'cut off'],
    [
      'less content than declared',
      bytes(magic, [0x20, 3], block(true, 0, 2, 'ab')),
      'declared are 3',
    ],
    [
      'a content of 10 MiB that is not there',
      bytes(magic, [0xa0], uint32(10 << 20), block(true, 0, 0, '')),
      'declared are 10485760',
    ],
    [
      'a content of 2^60 bytes',
      bytes(magic, [0xe0], uint64(2 ** 60), block(true, 0, 0, '')),
      'declared are 1152921504606847000',
    ],
    [
      'literals without a tree',
      bytes(magic, [0x20, 4], block(true, 2, 6, bytes([0x43, 0x40, 0], 'abc'))),
      'without a tree',
    ],
    [
      'sequences that use missing tables',
      bytes(magic, [0x20, 4], block(true, 2, 4, bytes([0, 1, 0xfc, 1]))),
      'without a table',
    ],
    [
      'bytes behind literals that end a block',
      bytes(magic, [0x20, 1], block(true, 2, 4, bytes([1 << 3], 'a', [0, 0]))),
      'behind the literals',
    ],
  ])('refuses %s', (_, input, problem) => {
    expect(failure('zstd', input)).toMatch(problem)
  })

  it('stops at the limit, however densely content is packed', () => {
    const repeated = Array.from({ length: 80 }, () => block(false, 1, 131_072, 'a'))
    const bomb = bytes(magic, [0x00, 0x58], ...repeated, block(true, 0, 0, '')) // 10 MiB in 330 bytes
    expect(failure('zstd', bomb, 1 << 20)).toMatch('MILLRACE_PROTOCOL_TOO_LARGE')
  })

  it('stops at once when sequences ask for more than a block may hold', () => {
    // 43,690 sequences: no literals, a recent offset, and a match of 65,539 + 65,535 bytes.
    const count = 43_690
    const modes = [0b01_01_01_00, 0, 0, 52]
    const sequences = bytes([255], [(count - 0x7f00) & 0xff, (count - 0x7f00) >> 8], modes)
    const content = bytes([1 << 3], 'a', sequences, Buffer.alloc(2 * count, 0xff), 1)
    const history = block(false, 0, 8, 'abcdefgh')
    const bomb = bytes(magic, [0x00, 0x58], history, block(true, 2, content.length, content))
    expect(failure('zstd', bomb, 1 << 26)).toMatch('MILLRACE_PROTOCOL_INVALID')
  })

  /** Sequences of one literal length (its symbol), one offset symbol and matches of five bytes. */
  function sequenceBlock(
    literals: string,
    count: number,
    [lengthSymbol, offsetSymbol]: readonly [number, number],
    bits: number,
  ): Buffer {
    const symbols = [0b01_01_01_00, lengthSymbol, offsetSymbol, 2]
    const content = bytes([literals.length << 3], literals, [count], symbols, [bits])
    return block(true, 2, content.length, content)
  }

  /** What copying five bytes from each of the offsets makes, with a literal before each or none. */
  function expand(start: string, literals: string, offsets: readonly number[]): string {
    return offsets.reduce((text, offset, index) => {
      let result = text + literals.charAt(index)
      for (let copied = 0; copied < 5; copied++) result += result.charAt(result.length - offset)
      return result
    }, start)
  }

  it('remembers the last three offsets, in the order of their use', () => {
    const history = block(false, 0, 10, 'abcdefghij')
    const read = (sequences: Buffer): string =>
      decompress('zstd', bytes(magic, [0x00, 0x58], history, sequences), 100).toString()
    // At first they are 1, 4 and 8. A bit of 0 is the second of them, 1 the third.
    const named = sequenceBlock('xyz', 3, [1, 1], 0b1_0_1_0)
    expect(read(named)).toBe(expand('abcdefghij', 'xyz', [4, 8, 4]))
    // Without literals: 0 is the third, 1 the first less 1.
    const shifted = sequenceBlock('', 3, [0, 1], 0b1_0_1_0)
    expect(read(shifted)).toBe(expand('abcdefghij', '', [8, 7, 1]))
    expect(
      failure('zstd', bytes(magic, [0x00, 0x58], history, sequenceBlock('', 1, [0, 1], 0b11))),
    ).toMatch('an offset of 0')
  })

  it('does not look behind the start of a frame, even where there is output', () => {
    const first = bytes(magic, [0x20, 8], block(true, 0, 8, 'abcdefgh'))
    const second = (bits: number): Buffer =>
      bytes(first, magic, [0x00, 0x58], sequenceBlock('x', 1, [1, 2], bits))
    expect(decompress('zstd', second(0b1_00), 100).toString()).toBe('abcdefghxxxxxx') // offset 1
    expect(failure('zstd', second(0b1_01))).toMatch('offset 2 leads out')
  })

  it('refuses literals whose stream is longer or shorter than they are', () => {
    // Two symbols of one bit each: 0 and 1.
    const literals = (stream: number): Buffer => {
      const content = bytes([0x32, 0xc0, 0x00], [0x80, 0x10], stream, 0)
      return bytes(magic, [0x20, 3], block(true, 2, content.length, content))
    }
    expect([...decompress('zstd', literals(0b1_011), 3)]).toEqual([0, 1, 1])
    expect(failure('zstd', literals(0b1_0110))).toMatch('wrong length')
    expect(failure('zstd', literals(0b1_01))).toMatch('wrong length')
    expect(failure('zstd', literals(0))).toMatch('end mark')
  })
})

describe('xxHash', () => {
  /** The definition, with BigInt. */
  function slowHash(input: Buffer): number {
    const mask = (1n << 64n) - 1n
    const [p1, p2, p3, p4, p5] = [
      ...[0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n],
      ...[0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n],
    ] as const satisfies readonly bigint[]
    const rotate = (value: bigint, bits: bigint): bigint =>
      ((value << bits) | (value >> (64n - bits))) & mask
    const round = (lane: bigint, word: bigint): bigint =>
      (rotate((lane + word * p2) & mask, 31n) * p1) & mask
    let hash: bigint = p5
    let at = 0
    if (input.length >= 32) {
      const lanes = [p1 + p2, p2, 0n, -p1].map((lane) => lane & mask)
      for (; at + 32 <= input.length; at += 32) {
        for (let lane = 0; lane < 4; lane++) {
          lanes[lane] = round(lanes[lane] ?? 0n, input.readBigUInt64LE(at + 8 * lane))
        }
      }
      hash =
        [1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + rotate(lanes[lane] ?? 0n, bits), 0n) &
        mask
      for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask
    }
    hash = (hash + BigInt(input.length)) & mask
    for (; at + 8 <= input.length; at += 8) {
      hash = (rotate(hash ^ round(0n, input.readBigUInt64LE(at)), 27n) * p1 + p4) & mask
    }
    if (at + 4 <= input.length) {
      hash = (rotate(hash ^ ((BigInt(input.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask
      at += 4
    }
    for (; at < input.length; at++) {
      hash = (rotate(hash ^ ((BigInt(input.readUInt8(at)) * p5) & mask), 11n) * p1) & mask
    }
    hash = ((hash ^ (hash >> 33n)) * p2) & mask
    hash = ((hash ^ (hash >> 29n)) * p3) & mask
    return Number((hash ^ (hash >> 32n)) & 0xffff_ffffn)
  }

  it('gives the published values', () => {
    for (const [text, short, long] of [
      ['', 0x02cc5d05, 0x51d8e999],
      ['a', 0x550d7456, 0xa98c6e5b],
      ['abc', 0x32d153ff, 0xad770999],
    ] as const) {
      const input = Buffer.from(text)
      expect(xxhash32(input, 0, input.length)).toBe(short)
      expect(xxhash64Low(input, 0, input.length)).toBe(long)
    }
    const long = Buffer.from('Nobody inspects the spammish repetition')
    expect(xxhash32(long, 0, long.length)).toBe(0xe2293b2f)
    expect(xxhash64Low(long, 0, long.length)).toBe(0x8a378bf1)
  })

  it('equals the definition for every length', () => {
    const input = Buffer.from(Array.from({ length: 131 }, (_, index) => index * 167))
    for (let length = 0; length <= input.length; length++) {
      expect(xxhash64Low(input, 0, length)).toBe(slowHash(input.subarray(0, length)))
    }
  })
})
