import { describe, expect, it } from 'vitest'
import { Scheduler } from './scheduler.ts'
import { Trace } from './trace.ts'

function runAll(scheduler: Scheduler): void {
  while (scheduler.step());
}

describe('virtual time', () => {
  it('jumps to the next event, and keeps the order of events at one time', () => {
    const scheduler = new Scheduler(new Trace(), undefined)
    const seen: string[] = []
    const note = (name: string) => () => seen.push(`${name} at ${scheduler.nowMs}`)
    scheduler.schedule(5, 'test', note('late'))
    scheduler.schedule(1, 'test', note('deferred'), { isDeferred: true })
    scheduler.schedule(1, 'test', note('first'))
    scheduler.schedule(1, 'test', note('second'))
    scheduler.schedule(-3, 'test', note('past'))
    scheduler.schedule(2, 'test', note('cancelled')).cancelled = true
    runAll(scheduler)
    expect(seen).toEqual(['past at 0', 'first at 1', 'second at 1', 'deferred at 1', 'late at 5'])
    expect(scheduler.eventCount).toBe(5)
    expect(scheduler.nextTimeMs()).toBeUndefined()
  })

  it('changes the order of lanes by seed, never the order within a lane', () => {
    const orders = new Set<string>()
    for (let seed = 1; seed <= 60; seed += 1) {
      const scheduler = new Scheduler(new Trace(), seed)
      const seen: string[] = []
      for (const step of [1, 2, 3]) {
        for (const lane of [1, 2, 3]) {
          scheduler.schedule(1, 'test', () => seen.push(`${lane}${step}`), { lane })
        }
      }
      runAll(scheduler)
      for (const lane of ['1', '2', '3']) {
        const own = seen.filter((name) => name.startsWith(lane))
        expect(own).toEqual([`${lane}1`, `${lane}2`, `${lane}3`])
      }
      orders.add(seen.join())
    }
    expect(orders.size).toBe(6)
  })

  it('puts the time, kind and owner of every event into the trace', () => {
    const digestOf = (delayMs: number, kind: string, id: number): string => {
      const trace = new Trace()
      const scheduler = new Scheduler(trace, undefined)
      const owner = { id, perform: (_kind: string, action: () => void) => action() }
      scheduler.schedule(delayMs, kind, () => undefined, { owner })
      runAll(scheduler)
      return trace.digest()
    }
    expect(digestOf(1, 'a', 1)).toBe(digestOf(1, 'a', 1))
    const digests = [
      digestOf(1, 'a', 1),
      digestOf(2, 'a', 1),
      digestOf(1, 'b', 1),
      digestOf(1, 'a', 2),
    ]
    expect(new Set(digests).size).toBe(4)
  })

  it('reports what goes round in a circle instead of hanging', () => {
    const scheduler = new Scheduler(new Trace(), undefined)
    const again = (): void => void scheduler.schedule(0, 'circle', again)
    again()
    expect(() => runAll(scheduler)).toThrow('the last of kind circle')
  })
})
