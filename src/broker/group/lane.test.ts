import { describe, expect, it } from 'vitest'
import { Deferred } from './deferred.ts'
import { Lane } from './lane.ts'

interface Work {
  readonly name: string
  readonly shared: boolean
  readonly end: Deferred<void>
}

/** A lane, and what has begun and ended in it. */
function lane() {
  const events: string[] = []
  let idle = 0
  const made = new Lane(() => (idle += 1))
  const add = (name: string, shared: boolean): Work => {
    const end = new Deferred<void>()
    made.add(shared, () => {
      events.push(`+${name}`)
      return end.promise.then(() => void events.push(`-${name}`))
    })
    return { name, shared, end }
  }
  return { made, add, events, idleCount: () => idle }
}

async function ended(...work: Work[]): Promise<void> {
  for (const { end } of work) end.resolve()
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a lane', () => {
  it('lets shared work run beside shared work, and exclusive work alone, in their order', async () => {
    const { add, events } = lane()
    const [a, b, c, d] = [add('a', true), add('b', true), add('C', false), add('d', true)]
    expect(events).toEqual(['+a', '+b'])
    await ended(b)
    expect(events).toEqual(['+a', '+b', '-b'])
    await ended(a)
    expect(events.slice(3)).toEqual(['-a', '+C'])
    await ended(c)
    expect(events.slice(5)).toEqual(['-C', '+d'])
    await ended(d)
    expect(events.at(-1)).toBe('-d')
  })

  it('does at once what does not have to wait, also when that adds more', () => {
    const events: string[] = []
    const made = new Lane(() => events.push('idle'))
    made.add(false, () => {
      events.push('first')
      made.add(false, () => void events.push('second'))
      events.push('first ends')
      return undefined
    })
    expect(events).toEqual(['first', 'first ends', 'second', 'idle'])
  })

  it('says when nothing is left', async () => {
    const { add, idleCount } = lane()
    const work = add('a', false)
    expect(idleCount()).toBe(0)
    await ended(work)
    expect(idleCount()).toBe(1)
  })
})
