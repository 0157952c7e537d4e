import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue, type QueuedEvent } from './event-queue.ts'

describe('the event queue', () => {
  it('gives out what was not cancelled, by time, phase, rank and sequence', () => {
    const small = fc.nat({ max: 3 })
    const step = fc.record({
      timeMs: small,
      phase: fc.nat({ max: 1 }),
      rank: small,
      isPopped: fc.boolean(),
      isCancelled: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new EventQueue<QueuedEvent>()
        let model: QueuedEvent[] = []
        for (const [sequence, { timeMs, phase, rank, isPopped, isCancelled }] of steps.entries()) {
          const event = { timeMs, phase, rank, sequence, cancelled: false }
          queue.push(event)
          event.cancelled = isCancelled
          if (!isCancelled) model = [...model, event].sort(compare)
          if (isPopped) expect(queue.pop()).toBe(model.shift())
        }
        while (model.length > 0) expect(queue.pop()).toBe(model.shift())
        expect(queue.pop()).toBeUndefined()
        expect(queue.peek()).toBeUndefined()
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

function compare(one: QueuedEvent, other: QueuedEvent): number {
  return (
    one.timeMs - other.timeMs ||
    one.phase - other.phase ||
    one.rank - other.rank ||
    one.sequence - other.sequence
  )
}
