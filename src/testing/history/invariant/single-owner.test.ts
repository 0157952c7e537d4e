import { describe, expect, it } from 'vitest'
import { Script, place } from '../reference/script.ts'

describe('F3: one handler of a key at a time', () => {
  it('holds for handlers one after the other, and for different keys, groups and null keys', () => {
    const script = new Script()
    script.handle('one', 0)
    script.handle('two', 1)
    script.handling('one', 2, 'x')
    script.handling('one', 3, 'y')
    script.handling('one', 4, 'x', 'other group')
    script.handling('one', 5, null)
    script.handling('one', 6, null)
    expect(script.violations()).toEqual([])
  })

  it('is broken by two at once, in one process or in two', () => {
    for (const other of ['one', 'two']) {
      const script = new Script()
      const first = script.handling('one', 0)
      const second = script.handling(other, 0)
      first.ok()
      second.ok()
      expect(script.violations()).toEqual(['overlapping-handlers'])
    }
  })

  it('takes a handler that never ended as running still', () => {
    const script = new Script()
    script.handling('one', 0)
    script.handle('two', 0)
    expect(script.violations()).toEqual(['overlapping-handlers'])
  })

  it('knows that a handler died with its process', () => {
    const script = new Script()
    script.handling('one', 0)
    const kill = script.history.begin({ process: 'one', kind: 'crash' })
    // The successor may start before whoever killed the process learns that it is dead.
    script.handle('two', 0)
    kill.ok()
    expect(script.violations()).toEqual([])
  })

  it('believes a kill that nobody saw succeed', () => {
    const script = new Script()
    script.handling('one', 0)
    script.history.begin({ process: 'one', kind: 'crash' })
    script.handle('two', 0)
    expect(script.violations()).toEqual([])
  })

  it('closes what the process began between the kill and its death', () => {
    const script = new Script()
    const kill = script.history.begin({ process: 'one', kind: 'crash' })
    script.handling('one', 0)
    script.handle('two', 0)
    kill.ok()
    expect(script.violations()).toEqual([])
  })

  it('sees an overlap with a long run across shorter ones', () => {
    const script = new Script()
    const long = script.handling('zombie', 0)
    script.handle('one', 0)
    script.handle('one', 1)
    long.ok()
    expect(script.check().violations).toMatchObject([{ anomaly: 'overlapping-handlers', count: 2 }])
  })
})

describe('F3: a key is handled in the order of offsets', () => {
  it('is broken by a record that starts before an earlier one has ended', () => {
    const script = new Script()
    script.handling('one', 0).failed(new Error('not now'))
    script.handle('one', 1)
    script.handle('one', 0)
    expect(script.violations()).toEqual(['handler-out-of-order'])
    expect(script.check().violations[0]?.stories[0]).toEqual({
      summary: "offset 1 of orders-0 with key 'k' in group g was started before offset 0 had ended",
      lines: [
        'at 0 ms one begins handling offset 0 of orders-0',
        'at 1 ms one: handling offset 0 of orders-0 failed (Error: not now)',
        'at 2 ms one begins handling offset 1 of orders-0',
        'at 4 ms one begins handling offset 0 of orders-0',
        'at 5 ms one: handling offset 0 of orders-0 succeeded',
      ],
    })
  })

  it('is broken by a record that starts before an earlier one ever did', () => {
    const script = new Script()
    script.handle('one', 1)
    script.handle('one', 0)
    expect(script.violations()).toEqual(['handler-out-of-order'])
  })

  it('holds when what has ended is run again after a crash', () => {
    const script = new Script()
    for (const offset of [0, 1]) script.handle('one', offset)
    script.history.note({ process: 'one', kind: 'crash' })
    for (const offset of [0, 1, 2]) script.handle('two', offset)
    expect(script.violations()).toEqual([])
  })

  it('starts anew at a seek of the group', () => {
    const script = new Script()
    script.handling('one', 0).failed(new Error('not now'))
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(1)] })
    script.handle('one', 1)
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(0)] })
    script.handle('one', 0)
    script.handle('one', 1)
    expect(script.violations()).toEqual([])
  })
})
