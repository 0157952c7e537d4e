import { describe, expect, it } from 'vitest'
import { FlushCounter } from './flush-counter.ts'

describe('FlushCounter', () => {
  it('is done with what came before, whatever comes later', async () => {
    const counter = new FlushCounter()
    const done: string[] = []
    const before = counter.enter()
    const first = counter.begin().then(() => done.push('first'))
    const between = counter.enter()
    const second = counter.begin().then(() => done.push('second'))
    counter.enter()
    expect(counter.isFlushing).toBe(true)
    counter.leave(between)
    await Promise.resolve()
    expect(done).toEqual([])
    // What was split goes on in the generation that it came from.
    counter.enter(before)
    counter.leave(before)
    await Promise.resolve()
    expect(done).toEqual([])
    counter.leave(before)
    await Promise.all([first, second])
    expect(done).toEqual(['first', 'second'])
    expect(counter.isFlushing).toBe(false)
  })

  it('is done at once when there is nothing', async () => {
    const counter = new FlushCounter()
    await counter.begin()
    counter.leave(counter.enter())
    await counter.begin()
  })
})
