import { describe, expect, it } from 'vitest'
import { ManualClock } from './fixture/manual-clock.ts'
import { Timers } from './timers.ts'

function timers() {
  const clock = new ManualClock()
  const made = new Timers(clock)
  const due: string[] = []
  const set = (member: string, delayMs: number) =>
    made.set('g', 'session', member, delayMs, (claim) => due.push(`${member} ${claim()}`))
  return { clock, made, due, set }
}

describe('the timers of a group', () => {
  it('are replaced when they are set again, and end when they are cancelled', async () => {
    const { clock, made, due, set } = timers()
    set('a', 100)
    set('b', 100)
    await clock.advance(60)
    set('a', 100)
    made.cancel('g', 'session', 'b')
    await clock.advance(99)
    expect(due).toEqual([])
    await clock.advance(1)
    expect(due).toEqual(['a true'])
    expect(made.has('g', 'session', 'a')).toBe(false)
  })

  it('cannot be claimed when they were set again after they were due', async () => {
    const { clock, made } = timers()
    const claims: (() => boolean)[] = []
    made.set('g', 'session', 'a', 1, (claim) => claims.push(claim))
    await clock.advance(1)
    expect(made.has('g', 'session', 'a')).toBe(true)
    made.set('g', 'session', 'a', 1, () => undefined)
    expect(claims[0]?.()).toBe(false)
    expect(made.has('g', 'session', 'a')).toBe(true)
  })

  it('can be made due, once', () => {
    const { made, due, set } = timers()
    set('a', 100)
    expect(made.fire('g', 'session', 'a')).toBe(true)
    expect(made.fire('g', 'session', 'a')).toBe(false)
    expect(due).toEqual(['a true'])
  })

  it('leave nothing behind', () => {
    const { clock, made, set } = timers()
    set('a', 1)
    made.set('g', 'rebalance', 'a', 1, () => undefined)
    made.set('h', 'join', '', 1, () => undefined)
    made.cancelMember('g', 'a')
    expect(clock.pendingTimers).toBe(1)
    made.cancelAll()
    expect(clock.pendingTimers).toBe(0)
  })
})
