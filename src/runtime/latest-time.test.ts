import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatestTime } from './latest-time.ts'

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
    expect(time.begin()).toBe(endedMs)
    expect(clock.asked).toBe(asked)
  })

  it('is asked for anew behind what takes time', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.passes()
    expect(time.begin()).toBeGreaterThan(endedMs)
  })

  it('is asked for anew where records do not follow each other at once', () => {
    const time = new LatestTime(countingClock())
    const endedMs = time.ask()
    expect(time.begin()).toBeGreaterThan(endedMs)
  })

  it('is forgotten with the row: what comes in another call begins later', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.setInRow(false)
    time.setInRow(true)
    expect(time.begin()).toBeGreaterThan(endedMs)
  })
})

describe('what handlers in a row take', () => {
  type Action = number | 'something takes time' | 'the row ends'

  /** What each is said to take, or takes, that begins as the one before it has ended; `asked` is how often the clock was asked. */
  function timed(actions: readonly Action[]): { readonly said: number[]; readonly asked: number } {
    let elapsedMs = 0
    let asked = 0
    const elapsed = () => (asked++, elapsedMs)
    const time = new LatestTime({ elapsedMs: elapsed, now: () => 0 })
    time.setInRow(true)
    time.ask()
    const said: number[] = []
    for (const action of actions) {
      if (action === 'something takes time') time.passes()
      else if (action === 'the row ends') {
        time.setInRow(false)
        time.setInRow(true)
      } else {
        const beganMs = time.begin()
        elapsedMs += action
        said.push(time.took(beganMs))
      }
    }
    return { said, asked }
  }

  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0)
  const quick = (count: number) => Array.from({ length: count }, () => 2 ** -10)
  const slow = (count: number) => Array.from({ length: count }, () => 5)

  it('is asked about once for eight that are quick, and is the same in sum and in buckets', () => {
    const { said, asked } = timed(quick(1_064))
    expect(asked).toBeLessThan(64 + 1_000 / 8 + 10)
    expect(sum(said)).toBe(sum(quick(1_064)))
    expect(Math.max(...said)).toBeLessThan(1)
  })

  it('is timed for each again behind one that is not quick', () => {
    for (let before = 0; before < 100; before++) {
      const { said } = timed([...quick(before), ...slow(20)])
      expect(said.slice(before + 8)).toEqual(slow(12))
    }
  })

  it('is timed for each where one of ten is slow', () => {
    const takesMs = Array.from({ length: 50 }, () => [...quick(9), ...slow(1)]).flat()
    expect(timed(takesMs).said).toEqual(takesMs)
  })

  it('is timed for each where something else lies between them', () => {
    const takesMs = quick(200)
    expect(timed(takesMs.flatMap((ms): Action[] => ['something takes time', ms])).said).toEqual(
      takesMs,
    )
  })

  it('is said sooner or later, whatever lies between them', () => {
    const run = fc.tuple(
      fc.constantFrom<Action[]>(quick(1), quick(70), slow(1), slow(3)),
      fc.constantFrom<Action[]>([], ['something takes time'], ['the row ends']),
    )
    fc.assert(
      fc.property(fc.array(run), (runs) => {
        const actions: Action[] = [...runs.flat(2), 'the row ends', 0]
        const takesMs = actions.filter((action) => typeof action === 'number')
        const { said } = timed(actions)
        expect(sum(said)).toBe(sum(takesMs))
      }),
      { seed: 8 },
    )
  })
})
