import { describe, expect, it } from 'vitest'
import { Script, at, place } from '../reference/script.ts'

/** Four records that somebody read, so that the checker knows of them. */
function written(): Script {
  const script = new Script()
  const values = ['a', 'b', 'c', 'd']
  values.forEach((value, offset) => script.send('producer', value, offset))
  script.poll('witness', ...values.map((value, offset) => at(offset, value)))
  return script
}

describe('F2: no commit past a record that has not ended', () => {
  it('holds for the contiguous frontier, whatever ended above it', () => {
    const script = written()
    const slow = script.handling('member', 0, 'k0')
    script.handle('member', 1)
    script.commit('member', 0)
    slow.ok()
    script.commit('member', 2)
    expect(script.violations()).toEqual([])
  })

  it('is broken while a handler runs below', () => {
    const script = written()
    const slow = script.handling('member', 0, 'k0')
    script.handling('member', 1, 'k1').ok()
    script.commit('member', 2)
    slow.ok()
    expect(script.violations()).toEqual(['commit-past-unended'])
    expect(script.check().violations[0]?.stories[0]).toEqual({
      summary: 'orders-0 in group g was committed at 2, though its record at 0 had not ended',
      lines: [
        "at 0 ms producer sends 'a' to orders-0",
        "at 1 ms producer: sending 'a' to orders-0 at offset 0 succeeded",
        "at 10 ms member begins handling offset 0 of orders-0 ('a')",
        'at 13 ms member commits offset 2 of orders-0 in group g',
      ],
    })
  })

  it('is broken by a failed handler, until a later run ends the record', () => {
    const script = written()
    script.handling('member', 0).failed(new Error('not now'))
    script.commit('member', 1)
    expect(script.violations()).toEqual(['commit-past-unended'])

    const retried = written()
    retried.handling('member', 0).failed(new Error('not now'))
    retried.handle('member', 0, 'dead-lettered')
    retried.commit('member', 1)
    expect(retried.violations()).toEqual([])
  })

  it('is broken by a record that was never handled', () => {
    const script = written()
    script.handle('member', 0)
    script.handle('member', 2)
    script.commit('member', 3)
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('needs no recorded reads: the handlers alone tell', () => {
    const script = new Script()
    script.handling('member', 7, 'k0')
    script.handling('member', 8, 'k1').ok()
    script.commit('member', 9)
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('leaves out what is below the start of the group, and holes', () => {
    const script = written()
    script.commit('member', 2)
    script.handle('member', 2)
    script.handle('member', 3)
    script.commit('member', 9)
    expect(script.violations()).toEqual([])
  })

  it('includes what is below the start when the group handles it all the same', () => {
    const script = written()
    script.commit('member', 2)
    script.handling('member', 0, 'k0')
    script.handling('member', 2, 'k2').ok()
    script.commit('member', 3)
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('knows the start of the group from its first poll', () => {
    const script = written()
    const poll = script.history.begin({ process: 'member', kind: 'poll', group: 'g' })
    poll.ok({ records: [at(0, 'a'), at(1, 'b')] })
    script.commit('member', 2)
    script.handle('member', 2)
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('judges an unknown commit, and not one that failed', () => {
    const unknown = written()
    unknown.handling('member', 0)
    unknown.committing('member', 1).unknown(new Error('timeout'))
    expect(unknown.violations()).toEqual(['commit-past-unended'])

    const failed = written()
    failed.handling('member', 0)
    failed.committing('member', 1).failed(new Error('fenced'))
    expect(failed.violations()).toEqual([])
  })

  it('judges the offsets of a transaction when they are added', () => {
    const script = written()
    script.handling('member', 0)
    const transaction = script.transaction('member')
    transaction.offsets('g', [place(1)])
    transaction.ok()
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('expects nothing of a group whose handlers were not recorded', () => {
    const script = written()
    script.commit('member', 4)
    script.handling('other', 0, 'k', 'other group').ok()
    expect(script.violations()).toEqual([])
  })

  it('expects what a seek goes back over to be handled again', () => {
    const script = written()
    for (const offset of [0, 1, 2, 3]) script.handle('member', offset)
    script.commit('member', 4)
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(1)] })
    script.handle('member', 1)
    script.commit('member', 2)
    expect(script.violations()).toEqual([])
    script.commit('member', 4)
    expect(script.violations()).toEqual(['commit-past-unended'])
  })

  it('expects nothing of what a seek goes forward over', () => {
    const script = written()
    script.handle('member', 0)
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(3)] })
    script.handle('member', 3)
    script.commit('member', 4)
    expect(script.violations()).toEqual([])
  })
})

describe('F2: a committed offset does not go back', () => {
  it('is broken by one that does', () => {
    const script = new Script()
    script.commit('one', 5)
    script.commit('two', 4)
    expect(script.violations()).toEqual(['commit-decreased'])
  })

  it('holds for commits at the same time: nobody knows which came first', () => {
    const script = new Script()
    script.commit('one', 3)
    const high = script.committing('one', 5)
    const low = script.committing('two', 4)
    high.ok()
    low.ok()
    expect(script.violations()).toEqual([])
  })

  it('holds for one that was refused, and does not count one whose outcome is unknown', () => {
    const script = new Script()
    script.commit('one', 5)
    script.committing('two', 4).failed(new Error('fenced'))
    script.committing('one', 9).unknown(new Error('timeout'))
    script.commit('one', 6)
    expect(script.violations()).toEqual([])
  })

  it('holds after a seek of the group', () => {
    const script = new Script()
    script.commit('one', 5)
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(0)] })
    script.commit('one', 1)
    expect(script.violations()).toEqual([])
  })

  it('does not hold a commit that ends after a seek against those that follow', () => {
    const script = new Script()
    const slow = script.committing('one', 9)
    script.history.note({ process: 'operator', kind: 'seek', group: 'g', offsets: [place(0)] })
    slow.ok()
    script.commit('one', 1)
    expect(script.violations()).toEqual([])
  })

  it('is per group', () => {
    const script = new Script()
    script.commit('one', 5)
    script.commit('one', 1, 'other group')
    expect(script.violations()).toEqual([])
  })

  it('includes the offsets of transactions', () => {
    const script = new Script()
    script.commit('one', 5)
    const transaction = script.transaction('two')
    transaction.offsets('g', [place(4)])
    transaction.ok()
    expect(script.violations()).toEqual(['commit-decreased'])
  })
})
