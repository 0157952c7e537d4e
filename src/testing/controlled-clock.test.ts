import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../platform/index.ts'
import { ControlledClock } from './controlled-clock.ts'

const hourMs = 3_600_000
const quarterMs = hourMs / 4

describe('a controlled clock', () => {
  const make = () => new ControlledClock(createNodePlatform().clock)

  it('calls what becomes due in order, each at its own time', async () => {
    const clock = make()
    const start = clock.now()
    const calls: [string, number][] = []
    const note = (name: string) => () => {
      calls.push([name, Math.round((clock.now() - start) / quarterMs)])
    }
    clock.setTimer(2 * hourMs, note('second'))
    clock.setTimer(hourMs, () => {
      note('first')()
      clock.setTimer(hourMs / 2, note('set by the first'))
    })
    clock.setTimer(9 * hourMs, note('never'))
    clock.setTimer(hourMs, note('cancelled')).cancel()
    await clock.advance(3 * hourMs)
    expect(calls.map(([name]) => name)).toEqual(['first', 'set by the first', 'second'])
    expect(calls.map(([, quarters]) => quarters)).toEqual([4, 6, 8])
    expect(clock.now() - start).toBeGreaterThanOrEqual(3 * hourMs)
  })

  it('wakes sleepers, and lets an aborted one go', async () => {
    const clock = make()
    const slept = clock.sleep(hourMs)
    const controller = new AbortController()
    const aborted = clock.sleep(hourMs, controller.signal)
    controller.abort(new Error('stop'))
    await expect(aborted).rejects.toThrow('stop')
    await clock.advance(hourMs)
    await slept
  })

  it('tells whole milliseconds, also after a fraction was added', async () => {
    const clock = make()
    await clock.advance(0.25)
    expect(clock.now()).toSatisfy(Number.isSafeInteger)
    const before = clock.now()
    await clock.advance(hourMs + 0.25)
    expect(clock.now()).toSatisfy(Number.isSafeInteger)
    expect(clock.now() - before).toBeGreaterThanOrEqual(hourMs)
  })

  it('still runs by itself', async () => {
    const clock = make()
    await clock.advance(hourMs)
    await clock.sleep(1)
  })
})
