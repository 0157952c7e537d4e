import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

describe('J11: the worst realtime lag', () => {
  it('is none when every poll returns what was acknowledged before it', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'))
    script.send('producer', 'b', 1)
    script.poll('reader', at(1, 'b'))
    expect(script.check().figures.worstLag).toBeUndefined()
  })

  it('is the time since the first record that the last empty poll could have returned', () => {
    const script = new Script()
    script.send('producer', 'a', 0) // 0, 1
    script.poll('reader', at(0, 'a')) // 2, 3
    script.send('producer', 'b', 1) // 4, acknowledged at 5
    script.poll('reader') // 6, 7
    script.send('producer', 'c', 2) // 8, 9
    script.poll('reader') // asked at 10
    script.poll('reader', at(1, 'b'), at(2, 'c'))
    expect(script.check().figures.worstLag).toEqual({
      process: 'reader',
      topic: 'orders',
      partition: 0,
      offset: 0,
      atMs: 10,
      lagMs: 5,
    })
  })

  it('does not count what a reader catches up with in one poll as lag in between', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'b', 1)
    script.poll('reader')
    script.poll('reader', at(0, 'a'), at(1, 'b'))
    expect(script.check().figures.worstLag).toBeUndefined()
  })

  it('counts a reader that never catches up, and one that gives up', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'))
    script.send('producer', 'b', 1) // acknowledged at 5
    script.poll('reader') // asked at 6
    expect(script.check().figures.worstLag?.lagMs).toBe(1)
    script.poll('reader') // asked at 8
    script.history.note({ process: 'reader', kind: 'assign', partitions: [] })
    script.poll('reader') // no longer behind: it has nothing to read
    expect(script.check().figures.worstLag?.lagMs).toBe(3)
  })

  it('knows of a record from its first reader when its writer never learned', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.sending('producer', 'b').unknown(new Error('timeout'))
    script.poll('behind', at(0, 'a'))
    script.poll('ahead', at(0, 'a'), at(1, 'b')) // read at 7
    script.poll('behind') // asked at 8
    expect(script.check().figures.worstLag).toMatchObject({ process: 'behind', lagMs: 1 })
  })
})
