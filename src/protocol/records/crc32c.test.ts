import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assembleCrc32cModule } from './crc32c-assembler.ts'
import { crc32cDataBytes, crc32cModule } from './crc32c-module.ts'
import { crc32c, crc32cUpdate } from './crc32c.ts'

/** The definition, bit by bit. */
function slowCrc32c(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff
  for (const byte of bytes) {
    remainder ^= byte
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f6_3b78 : remainder >>> 1
    }
  }
  return ~remainder >>> 0
}

describe('crc32c', () => {
  it('gives the published check value and the ones of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283)
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa)
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8_ab43)
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd_794e)
    expect(crc32c(Buffer.alloc(0))).toBe(0)
  })

  it('equals the definition for every length around its chunks', () => {
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 151) >>> 2))
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length)
      expect(crc32c(part)).toBe(slowCrc32c(part))
    }
    const large = Buffer.from({ length: 2 * crc32cDataBytes + 40 }).map((_, index) => index * 31)
    for (const length of [
      crc32cDataBytes - 1,
      crc32cDataBytes,
      crc32cDataBytes + 1,
      large.length,
    ]) {
      expect(crc32c(large.subarray(3, length))).toBe(slowCrc32c(large.subarray(3, length)))
    }
  })

  it('can be continued over any split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const first = crc32cUpdate(0, bytes.subarray(0, cut))
        return crc32cUpdate(first, bytes.subarray(cut)) === crc32c(bytes)
      }),
      { seed: 1 },
    )
  })

  it('runs the module that the assembler makes', () => {
    const assembled = Buffer.from(assembleCrc32cModule(crc32cDataBytes)).toString('base64')
    expect(crc32cModule).toBe(assembled)
  })
})
