import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameError, FrameReader } from './frame-reader.ts'

function framed(payload: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(payload.length)
  return Buffer.concat([size, payload])
}

function readAll(reader: FrameReader, chunks: readonly Buffer[]): string[] {
  const frames: string[] = []
  for (const chunk of chunks) reader.push(chunk, (frame) => frames.push(frame.toString('hex')))
  return frames
}

describe('the frame reader', () => {
  it('finds the same frames however the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
    const cuts = fc.array(fc.nat({ max: 30 }), { maxLength: 60 })
    fc.assert(
      fc.property(payloads, cuts, (frames, sizes) => {
        let rest = Buffer.concat(frames.map(framed))
        const chunks: Buffer[] = []
        for (const size of sizes) {
          chunks.push(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        chunks.push(rest)
        const buffers = { take: (bytes: number) => Buffer.alloc(bytes) }
        for (const reader of [new FrameReader(1000), new FrameReader(1000, buffers)]) {
          expect(readAll(reader, chunks)).toEqual(frames.map((f) => Buffer.from(f).toString('hex')))
          expect(reader.heldBytes).toBe(0)
        }
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('takes no buffer for a size before a part of the frame has come', () => {
    const taken: number[] = []
    const take = (bytes: number) => {
      taken.push(bytes)
      return Buffer.alloc(bytes)
    }
    const reader = new FrameReader(1000, { take })
    const bytes = framed(Buffer.alloc(996, 'x'))
    reader.push(bytes.subarray(0, 4), () => undefined)
    reader.push(bytes.subarray(4, 249), () => undefined)
    expect(taken).toEqual([])
    reader.push(bytes.subarray(249, 250), () => undefined)
    expect(taken).toEqual([1000])
    expect(readAll(reader, [bytes.subarray(250)])).toEqual([Buffer.alloc(996, 'x').toString('hex')])
  })

  it.each([
    ['a negative size', Buffer.from([0xff, 0xff, 0xff, 0xff]), /declares -1 bytes/],
    ['the largest size', Buffer.from([0x7f, 0xff, 0xff, 0xff]), /declares 2147483647 bytes/],
    ['text', Buffer.from('GET / HTTP/1.1\r\n'), /declares 1195725856 bytes/],
  ])('refuses %s, also when it comes byte by byte', (_name, bytes, message) => {
    expect(() => readAll(new FrameReader(1000), [bytes])).toThrow(message)
    const single = [...bytes].map((byte) => Buffer.from([byte]))
    expect(() => readAll(new FrameReader(1000), single)).toThrow(FrameError)
  })
})
