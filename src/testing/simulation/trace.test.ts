import { describe, expect, it } from 'vitest'
import { Trace, type TraceValue } from './trace.ts'

function digestOf(...values: TraceValue[]): string {
  const trace = new Trace()
  for (const value of values) trace.value(value)
  return trace.digest()
}

describe('the trace', () => {
  it('tells values, types and orders apart', () => {
    const digests = [
      digestOf(),
      digestOf(0),
      digestOf(-0),
      digestOf(1),
      digestOf(1, 2),
      digestOf(2, 1),
      digestOf('1'),
      digestOf('12'),
      digestOf('1', '2'),
      digestOf(''),
      digestOf(true),
      digestOf(false),
      digestOf(null),
      digestOf(undefined),
      digestOf(0.1),
      digestOf(0.1 + Number.EPSILON),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    expect(digestOf(1, 'a')).toBe(digestOf(1, 'a'))
  })

  it('does not collide over many neighbouring values', () => {
    const digests = new Set<string>()
    for (let value = 0; value < 20_000; value += 1) digests.add(digestOf(value, value % 7))
    expect(digests.size).toBe(20_000)
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/)
  })

  it('is the same on every version of Node', () => {
    expect(digestOf('fetch', 12.5, null)).toMatchInlineSnapshot(`"00a1c6a63edc7241"`)
  })
})
