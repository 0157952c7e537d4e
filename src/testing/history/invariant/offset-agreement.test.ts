import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

describe('J1: an offset has one value', () => {
  it('holds when readers agree', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader-1', at(0, 'a'))
    script.poll('reader-2', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('is broken by two readers that see different values', () => {
    const script = new Script()
    script.sending('producer-1', 'a').unknown(new Error('timeout'))
    script.sending('producer-2', 'b').unknown(new Error('timeout'))
    script.poll('reader-1', at(0, 'a'))
    script.poll('reader-2', at(0, 'b'))
    expect(script.violations()).toEqual(['inconsistent-offsets'])
  })

  it('is broken by a reader that sees another value than was acknowledged there', () => {
    const script = new Script()
    script.send('producer-1', 'a', 0)
    script.sending('producer-2', 'b').unknown(new Error('timeout'))
    script.poll('reader', at(0, 'b'))
    expect(script.violations()).toEqual(['inconsistent-offsets', 'lost-write'])
  })

  it('looks at what failed polls were handed as well', () => {
    const script = new Script()
    script.send('producer-1', 'a', 0)
    script.sending('producer-2', 'b').unknown(new Error('timeout'))
    const poll = script.history.begin({ process: 'reader', kind: 'poll' })
    poll.failed(new Error('lost the connection'), { records: [at(0, 'b')] })
    expect(script.violations()).toEqual(['inconsistent-offsets'])
  })

  it('does not count the offset of a write that may not have been committed', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    transaction.send({ topic: 'orders', partition: 0, value: 'a' }).acknowledged(0)
    transaction.unknown(new Error('timeout'))
    script.send('producer', 'b', 0)
    expect(script.violations()).toEqual([])
  })
})

describe('J2: a value has one offset', () => {
  it('is broken by a value that is read twice', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'), at(1, 'a'))
    expect(script.violations()).toEqual(['duplicate'])
  })

  it('is broken by an acknowledgement that names another place', () => {
    const script = new Script()
    script.send('producer', 'a', 7)
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual(['duplicate'])
  })

  it('is about one topic-partition: another may hold the same value', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'), { topic: 'payments', partition: 0, offset: 5, value: 'a' })
    expect(script.violations()).toEqual([])
  })

  it('tells numbers from texts', () => {
    const script = new Script()
    script.send('producer', 1, 0)
    script.send('producer', '1', 1)
    script.poll('reader', at(0, 1), at(1, '1'))
    expect(script.violations()).toEqual([])
  })
})
