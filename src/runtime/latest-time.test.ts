import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatestTime } from './latest-time.ts'

const nobody = { observe: () => undefined }

/** A clock that is a millisecond further each time it is asked. */
function countingClock() {
  let asked = 0
  return {
    get asked() {
      return asked
    },
    elapsedMs: () => ++asked,
    now: () => 1_700_000_000_000 + asked,
  }
}

describe('the time that was heard last', () => {
  it('is when the next handler begins, of records that are taken in a row', () => {
    const clock = countingClock()
    const time = new LatestTime(clock)
    time.setInRow(true)
    const endedMs = time.ask()
    const { asked } = clock
    expect(time.begin(nobody)).toBe(endedMs)
    expect(clock.asked).toBe(asked)
  })

  it('is asked for anew behind what takes time', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.passes()
    expect(time.begin(nobody)).toBeGreaterThan(endedMs)
  })

  it('is asked for anew where records do not follow each other at once', () => {
    const time = new LatestTime(countingClock())
    const endedMs = time.ask()
    expect(time.begin(nobody)).toBeGreaterThan(endedMs)
  })

  it('is forgotten with the row: what comes in another call begins later', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.setInRow(false)
    time.setInRow(true)
    expect(time.begin(nobody)).toBeGreaterThan(endedMs)
  })
})

describe('what handlers in a row take', () => {
  type Kind = 'a' | 'b'
  /** A handler of a kind that takes so long, or goes on for longer; or time that is nobody's. */
  type Action =
    | { readonly kind: Kind; readonly ms: number; readonly goesOn?: boolean }
    | { readonly after: 'a batch' | 'the row'; readonly idleMs: number }

  /** What each kind is said to take, in order; `asked` is how often the clock was asked. */
  function timed(actions: readonly Action[]) {
    let elapsedMs = 0
    let asked = 0
    const elapsed = () => (asked++, elapsedMs)
    const time = new LatestTime({ elapsedMs: elapsed, now: () => 0 })
    const said: Record<Kind, number[]> = { a: [], b: [] }
    const observers = {
      a: { observe: (seconds: number) => said.a.push(seconds * 1_000) },
      b: { observe: (seconds: number) => said.b.push(seconds * 1_000) },
    }
    time.setInRow(true)
    for (const action of actions) {
      if ('after' in action) {
        if (action.after === 'the row') time.setInRow(false)
        else time.settle()
        elapsedMs += action.idleMs
        if (action.after === 'the row') time.setInRow(true)
        else time.passes()
        continue
      }
      const { kind, ms, goesOn = false } = action
      const beganMs = time.begin(observers[kind])
      const fromMs = goesOn ? time.goesOn(beganMs) : beganMs
      elapsedMs += ms
      if (goesOn) said[kind].push(time.ask() - fromMs)
      else time.ended(beganMs, observers[kind])
    }
    time.setInRow(false)
    return { said, asked }
  }

  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0)
  const of = (kind: Kind, ms: number, count: number): Action[] =>
    Array.from({ length: count }, () => ({ kind, ms }))
  const quickMs = 2 ** -10
  const quick = (count: number, kind: Kind = 'a') => of(kind, quickMs, count)
  const slow = (count: number, kind: Kind = 'a') => of(kind, 5, count)
  const rounded = (all: readonly number[]) => all.map((ms) => Math.round(ms * 1_024) / 1_024)

  it('is asked about once for eight that are quick, and is the same in sum and in buckets', () => {
    const { said, asked } = timed(quick(1_064))
    expect(asked).toBeLessThan(64 + 1_000 / 8 + 10)
    expect(said.a).toHaveLength(1_064)
    expect(sum(said.a)).toBeCloseTo(1_064 * quickMs, 9)
    expect(Math.max(...said.a)).toBeLessThan(1)
  })

  it('is timed for each again behind one that is not quick', () => {
    for (let before = 0; before < 100; before++) {
      const { said } = timed([...quick(before), ...slow(20)])
      expect(rounded(said.a.slice(before + 8))).toEqual(Array.from({ length: 12 }, () => 5))
    }
  })

  it('is timed for each where one of ten is slow, and where the slow ones are of another kind', () => {
    const turns = (kind: Kind) => Array.from({ length: 50 }, () => [...quick(9), ...slow(1, kind)])
    const mixed = timed(turns('a').flat()).said
    expect(rounded(mixed.a).filter((ms) => ms === 5)).toHaveLength(50)
    const apart = timed([...quick(100), ...turns('b').flat()]).said
    expect(rounded(apart.b)).toEqual(Array.from({ length: 50 }, () => 5))
    expect(Math.max(...apart.a)).toBeLessThan(1)
  })

  it('is that of its kind, once for each handler, and nothing that lies between', () => {
    const kind = fc.constantFrom<Kind>('a', 'b')
    const action = fc.oneof(
      fc.tuple(fc.constantFrom(1, 70), kind).map(([count, of]) => quick(count, of)),
      fc.tuple(fc.constantFrom(1, 3), kind).map(([count, of]) => slow(count, of)),
      fc
        .record({ after: fc.constantFrom('a batch' as const, 'the row' as const) })
        .map(({ after }): Action[] => [{ after, idleMs: 1_000 }]),
    )
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        const all = actions.flat()
        const { said } = timed(all)
        for (const each of ['a', 'b'] as const) {
          const took = all.flatMap((one) => ('kind' in one && one.kind === each ? [one.ms] : []))
          expect(said[each]).toHaveLength(took.length)
          expect(sum(said[each])).toBeCloseTo(sum(took), 6)
        }
      }),
      { seed: 8 },
    )
  })

  it('is not counted twice where one goes on for longer', () => {
    const goesOn: Action = { kind: 'a', ms: 3, goesOn: true }
    for (let before = 60; before < 80; before++) {
      const { said } = timed([...quick(before), goesOn, ...quick(1)])
      expect(sum(said.a)).toBeCloseTo(3 + (before + 1) * quickMs, 6)
    }
  })
})
