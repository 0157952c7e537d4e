/**
 * Promise: an outage is told from bad records, and ends with the first success.
 *
 * Proves: 4
 */
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../platform/index.ts'
import { OutageGuard } from './outage-guard.ts'
import type { ProbeSource } from './outage-guard.ts'

/** Time that stands still until the next timer is asked for. */
function handClock(): { readonly clock: Clock; readonly next: () => void } {
  const timers: { atMs: number; callback: () => void }[] = []
  let nowMs = 0
  const clock = {
    elapsedMs: () => nowMs,
    setTimer(delayMs: number, callback: () => void) {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.push(timer)
      const cancel = () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1)
      }
      return { cancel }
    },
  } as Clock
  const next = () => {
    timers.sort((a, b) => a.atMs - b.atMs)
    const timer = timers.shift()
    nowMs = timer?.atMs ?? nowMs
    timer?.callback()
  }
  return { clock, next }
}

function openGuard(maxMs = Infinity) {
  const { clock, next } = handClock()
  const random = { fraction: () => 0.5 } as never
  const changes: boolean[] = []
  const changed = (isOpen: boolean) => changes.push(isOpen)
  const guard = new OutageGuard({ clock, random, maxMs, changed })
  return { guard, next, changes, fail: (count: number) => failMany(guard, count) }
}

function failMany(guard: OutageGuard, count: number): void {
  for (let record = 0; record < count; record++) guard.failed(`record ${record}`)
}

describe('the outage guard', () => {
  it('opens when half of the last runs have failed, of ten records at least', () => {
    const { guard, fail, changes } = openGuard()
    fail(24)
    expect(guard.isOpen).toBe(false)
    expect(guard.failed('record 24')).toBe(false)
    expect(guard.isOpen).toBe(true)
    guard.succeeded()
    expect(changes).toEqual([true, false])
  })

  it('goes on asking when no partition has a record that never ran', () => {
    const { guard, next, fail } = openGuard()
    let asked = 0
    const source: ProbeSource = {
      probe: () => {
        if (++asked > 2) throw new Error('it is asked for ever')
        return false
      },
    }
    guard.addSource(source)
    guard.addSource({ probe: () => false })
    fail(25)
    for (let turn = 0; turn < 3; turn++) {
      asked = 0
      next()
      expect(asked).toBeGreaterThan(0)
    }
  })

  it('is not closed by a record that is bad in itself', () => {
    const { guard, next, fail } = openGuard()
    let probes = 0
    guard.addSource({ probe: () => ++probes > 0 })
    fail(25)
    next()
    guard.failedForGood()
    expect(guard.isOpen).toBe(true)
    expect(guard.failed('record 1')).toBe(false)
    // What was tried has come to its end: the next one is.
    next()
    expect(probes).toBe(2)
  })

  it('tries others when what it tries hangs: one bad record does not hold it open', () => {
    const { guard, next, fail } = openGuard()
    let newOnes = 0
    let hanging = 0
    guard.addSource({ probe: () => ++newOnes > 0 })
    guard.wait({ run: () => hanging++ })
    fail(25)
    next()
    expect([newOnes, hanging]).toEqual([1, 0])
    guard.probeEnded()
    next()
    expect([newOnes, hanging]).toEqual([1, 1])
    // It never tells how it went. The next timer is that of its time, the one after it the pause before another.
    next()
    next()
    expect([newOnes, hanging]).toEqual([2, 1])
  })

  it('opens for a record that would be given up, when most has failed since it failed first', () => {
    const { guard, changes, fail } = openGuard()
    fail(1)
    for (let run = 0; run < 40; run++) guard.succeeded()
    const before = guard.runCount
    fail(9)
    expect(guard.opensSince(before)).toBe(false)
    guard.failed('record 9')
    // Of the last fifty runs few have failed; of those since then all.
    expect(guard.isOpen).toBe(false)
    expect(guard.opensSince(before - 41)).toBe(false)
    expect(guard.opensSince(before)).toBe(true)
    expect(changes).toEqual([true])
  })

  it('that is open for longer than it may spares records no more', () => {
    const { guard, next, fail } = openGuard(60_000)
    fail(25)
    expect(guard.isOpen).toBe(true)
    expect(guard.failed('record 0')).toBe(false)
    expect(guard.opensSince(0)).toBe(true)
    // Probes come and go, for more than a minute.
    for (let probe = 0; probe < 30; probe++) {
      next()
      guard.probeEnded()
    }
    expect(guard.failed('record 0')).toBe(true)
    expect(guard.opensSince(0)).toBe(false)
    expect(guard.isOpen).toBe(true)
  })
})
