import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../broker/group/fixture/manual-clock.ts'
import { silentLog } from '../../observe/index.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import { rateLimit } from './rate-limit.ts'
import { RateLimiter } from './rate-limiter.ts'

const never = new AbortController().signal

describe('a limit of a rate', () => {
  it('allows no more in any time than the rate and a burst, no less than that, and all in turn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 }),
        async (perSecond, burst, pausesMs) => {
          const clock = new ManualClock()
          const limiter = new RateLimiter(clock, { perSecond, burst })
          const starts: { order: number; atMs: number }[] = []
          const beganMs = clock.elapsedMs()
          const start = (order: number) => starts.push({ order, atMs: clock.elapsedMs() - beganMs })
          for (const [order, pauseMs] of pausesMs.entries()) {
            if (limiter.tryTake()) start(order)
            else void limiter.take(never).then(() => start(order))
            await clock.advance(pauseMs)
          }
          // As long as so many take at this rate, and a little more for what timers round.
          await clock.advance((pausesMs.length / perSecond) * 1_000 + 2)
          expect(starts.map(({ order }) => order)).toEqual(pausesMs.map((_, order) => order))
          starts.forEach(({ atMs: fromMs }, first) => {
            starts.slice(first).forEach(({ atMs }, count) => {
              const most = burst + ((atMs - fromMs) / 1_000) * perSecond
              expect(count + 1).toBeLessThanOrEqual(most + 1e-3)
            })
          })
          expect(clock.pendingTimers).toBe(0)
        },
      ),
      { seed: 7, numRuns: 200 },
    )
  })

  it('gives nothing to who does not wait any more', async () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter(clock, { perSecond: 1, burst: 1 })
    expect(limiter.tryTake()).toBe(true)
    const leaving = new AbortController()
    const left = limiter.take(leaving.signal)
    const stays = limiter.take(never)
    const reason = new Error('the partition goes')
    leaving.abort(reason)
    await expect(left).rejects.toBe(reason)
    await expect(limiter.take(leaving.signal)).rejects.toBe(reason)
    await clock.advance(1_000)
    await stays
    expect(limiter.waitingCount).toBe(0)
  })
})

describe('rateLimit', () => {
  it('answers at once while there is room, counts all that share it, and lets the others wait', async () => {
    const clock = new ManualClock()
    const limit = rateLimit({ perSecond: 10, burst: 2 })
    const [first, second] = [0, 1].map(() => limit.stepFor({ clock, log: silentLog }))
    let runs = 0
    const run = () => {
      runs++
      return undefined
    }
    expect(first?.(deliveryOf('e-1'), run)).toBeUndefined()
    expect(second?.(deliveryOf('e-2'), run)).toBeUndefined()
    const delivery = deliveryOf('e-3')
    const third = first?.(delivery, run)
    expect(delivery.isWaiting).toBe(true)
    await clock.advance(99)
    expect(runs).toBe(2)
    await clock.advance(1)
    await third
    expect(runs).toBe(3)
  })

  it('lets go of a record whose partition is given up while it waits', async () => {
    const clock = new ManualClock()
    const step = rateLimit({ perSecond: 1 }).stepFor({ clock, log: silentLog })
    void step(deliveryOf('e-1'), () => undefined)
    const delivery = deliveryOf('e-2')
    let runs = 0
    const waiting = Promise.resolve(
      step(delivery, () => {
        runs++
        return undefined
      }),
    )
    const reason = new Error('the partition goes')
    delivery.drop(reason)
    await expect(waiting).rejects.toBe(reason)
    await clock.advance(5_000)
    await settled()
    expect(runs).toBe(0)
    expect(delivery.wasDropped).toBe(true)
  })

  it.each([
    [{ perSecond: 0 }, /rateLimit\.perSecond \(0\) must be a number above 0/],
    [{ perSecond: NaN }, /rateLimit\.perSecond \(NaN\)/],
    [{ perSecond: 1, burst: 0 }, /rateLimit\.burst \(0\) must be a whole number from 1/],
    [{ perSecond: 1, brust: 1 }, /rateLimit\.brust is not an option; did you mean/],
  ])('refuses %j', (options, message) => {
    expect(() => rateLimit(options)).toThrow(message)
  })
})
