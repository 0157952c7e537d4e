import { describe, expect, it } from 'vitest'
import { nodeRandom } from './node-random.ts'

describe('chance of this machine', () => {
  it('draws within the bounds, up to the largest', () => {
    for (const bound of [1, 2, 1000, 2 ** 48]) {
      for (let draw = 0; draw < 100; draw += 1) {
        const drawn = nodeRandom.integer(bound)
        expect(Number.isSafeInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true)
      }
    }
    const fraction = nodeRandom.fraction()
    expect(fraction >= 0 && fraction < 1).toBe(true)
  })

  it('draws as many bytes as asked for, others each time', () => {
    expect(nodeRandom.bytes(16)).toHaveLength(16)
    expect(nodeRandom.bytes(16)).not.toEqual(nodeRandom.bytes(16))
  })
})
