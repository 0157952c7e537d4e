import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'

describe('LeaderEpochs', () => {
  it('knows the epoch of every offset that was noted and not forgotten', () => {
    const step = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat({ max: 2 }), fc.nat({ max: 9 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const epochs = new LeaderEpochs()
        const noted = new Map<number, number>()
        let offset = -1
        let epoch = 0
        for (const [distance, rise, act] of steps) {
          epoch += rise
          if (act === 0 && offset >= 0) {
            offset = Math.max(0, offset - distance)
            epochs.truncate(offset + 1)
            for (const known of noted.keys()) if (known > offset) noted.delete(known)
            epoch += 1
          } else if (act === 1) {
            epochs.forgetBelow(offset - distance)
            for (const known of noted.keys()) if (known < offset - distance) noted.delete(known)
          } else {
            offset += distance
            epochs.note(offset, epoch)
            noted.set(offset, epoch)
          }
          for (const [offset, epoch] of noted) expect(epochs.at(offset)).toBe(epoch)
          expect(epochs.at(offset + 1)).toBeUndefined()
        }
      }),
      { seed: 5, numRuns: 200 },
    )
  })

  it('counts a gap to the leader after it', () => {
    const epochs = new LeaderEpochs()
    epochs.note(10, 3)
    epochs.note(20, 4)
    expect([10, 11, 19, 20, 21].map((offset) => epochs.at(offset))).toEqual([3, 4, 4, 4, undefined])
  })

  it('keeps what the last commit named above while the source comes to it', () => {
    const epochs = new LeaderEpochs()
    epochs.note(100, 5)
    for (let offset = 50; offset < 60; offset += 1) epochs.note(offset, 3)
    expect([55, 59, 60, 100].map((offset) => epochs.at(offset))).toEqual([3, 3, 5, 5])
    epochs.note(70, 5)
    epochs.note(100, 5)
    expect([59, 60, 100].map((offset) => epochs.at(offset))).toEqual([3, 5, 5])
  })

  it('does not know what nobody could tell', () => {
    const epochs = new LeaderEpochs()
    epochs.note(10, -1)
    expect(epochs.at(10)).toBeUndefined()
    epochs.note(11, 2)
    expect(epochs.at(10)).toBeUndefined()
    expect(epochs.at(11)).toBe(2)
  })
})
