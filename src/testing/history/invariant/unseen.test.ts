import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

describe('J9: the final phase sees everything', () => {
  it('is not judged without a final phase, and the report says so', () => {
    const script = new Script()
    script.send('producer', 'a')
    expect(script.violations()).toEqual([])
    expect(script.check().toString()).toContain('No final phase: J9 was not judged.')
  })

  it('is broken by an acknowledged record that nobody read, with or without a known offset', () => {
    const script = new Script()
    script.send('producer', 'a')
    script.send('producer', 'b', 5)
    script.history.note({ process: 'judge', kind: 'final' })
    script.poll('judge')
    expect(script.check().violations).toMatchObject([{ anomaly: 'unseen', count: 2 }])
  })

  it('expects nothing of failed and unknown sends', () => {
    const script = new Script()
    script.sending('producer', 'a').failed(new Error('refused'))
    script.sending('producer', 'b').unknown(new Error('timeout'))
    script.sending('producer', 'c')
    script.history.note({ process: 'judge', kind: 'final' })
    script.poll('judge')
    expect(script.violations()).toEqual([])
  })

  it('is broken by a record that was read before and is there no more', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'))
    script.history.note({ process: 'judge', kind: 'final' })
    script.poll('judge')
    expect(script.violations()).toEqual(['vanished'])
  })

  it('is broken also when an unknown record that was read is gone', () => {
    const script = new Script()
    script.sending('producer', 'a').unknown(new Error('timeout'))
    script.poll('reader', at(0, 'a'))
    script.history.note({ process: 'judge', kind: 'final' })
    script.poll('judge')
    expect(script.violations()).toEqual(['vanished'])
  })

  it('holds when the final phase reads it all', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.history.note({ process: 'judge', kind: 'final' })
    script.poll('judge', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })
})
