import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeenKeys } from './seen-keys.ts'

describe('seen keys', () => {
  it('are never taken for new ones', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 }), (keys) => {
        const seen = new SeenKeys(keys.length)
        for (const key of keys) seen.add(key)
        for (const key of keys) expect(seen.add(key)).toBe(true)
      }),
      { seed: 11 },
    )
  })

  it('are told from most others', () => {
    const seen = new SeenKeys(10_000)
    const keyOf = (index: number) => Buffer.from(`paid\0l\0\x0eorder-${index}`)
    let mistaken = 0
    for (let index = 0; index < 10_000; index++) if (seen.add(keyOf(index))) mistaken++
    expect(mistaken).toBeLessThan(600)
  })

  it('may be more than were announced', () => {
    const seen = new SeenKeys(0)
    for (let index = 0; index < 100; index++) seen.add(Buffer.from([index]))
    expect(seen.add(Buffer.from([7]))).toBe(true)
  })
})
