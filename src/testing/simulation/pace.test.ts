import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'
import { Scheduler } from './scheduler.ts'
import { createSimulation } from './simulation.ts'
import { Trace } from './trace.ts'

function heldPace() {
  const scheduler = new Scheduler(new Trace(), undefined)
  const world = { realMs: 1_000, isHeld: true }
  const pace = new Pace(scheduler, { elapsedMs: () => world.realMs }, () => world.isHeld)
  return { scheduler, world, pace }
}

describe('virtual time that is held', () => {
  it('goes as real time does, and counts what it has waited', () => {
    const { scheduler, world, pace } = heldPace()
    scheduler.schedule(3, 'test', () => undefined)
    const waits: number[] = []
    for (; pace.waitMs > 0; world.realMs += 0.5) waits.push(scheduler.nowMs)
    expect(waits).toEqual([0, 0.5, 1, 1.5, 2, 2.5])
    expect(pace.restedMs).toBe(3)
  })

  it('lets happen what is due now, and waits when there is nothing', () => {
    const { scheduler, pace } = heldPace()
    expect(pace.waitMs).toBe(1)
    scheduler.schedule(0, 'test', () => undefined)
    expect(pace.waitMs).toBe(0)
  })

  it('jumps again when it is free, and begins anew when it is held once more', () => {
    const { scheduler, world, pace } = heldPace()
    scheduler.schedule(50, 'test', () => undefined)
    expect(pace.waitMs).toBe(1)
    world.isHeld = false
    expect(pace.waitMs).toBe(0)
    scheduler.step()
    scheduler.schedule(10, 'test', () => undefined)
    world.isHeld = true
    world.realMs += 1_000
    expect(pace.waitMs).toBe(1)
    expect(scheduler.nowMs).toBe(50)
  })

  it('is not moved by real time in which nobody ran the world', () => {
    const { scheduler, world, pace } = heldPace()
    scheduler.schedule(50, 'test', () => undefined)
    expect(pace.waitMs).toBe(1)
    pace.rest()
    world.realMs += 1_000
    expect(pace.waitMs).toBe(1)
    expect(scheduler.nowMs).toBe(0)
    expect(pace.restedMs).toBe(0)
  })
})

describe('what a program has under way in the real world', () => {
  it('is named, and nothing is left when it has come to its end', async () => {
    const simulation = createSimulation({ seed: 1, realWork: { isAtWork: () => false } })
    const process = simulation.host('machine').start('program', async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
    })
    await simulation.runUntil(() => simulation.realWorkUnderWay.length > 0, { withinMs: 1 })
    expect(simulation.realWorkUnderWay).toEqual(['1 × Timeout of program'])
    await simulation.runUntil(() => process.isOver, { withinMs: 60_000 })
    expect(simulation.realWorkUnderWay).toEqual([])
    // How much of the timer is left when the world begins to wait is the machine's affair.
    expect(simulation.realWaitMs).toBeGreaterThan(0)
    expect(simulation.nowMs).toBeGreaterThan(0)
    simulation.end()
  })
})
