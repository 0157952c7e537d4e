import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

describe('J4: a committed record is read before a later one', () => {
  it('is broken when a later record was read and this one by nobody', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'b', 1)
    script.poll('reader', at(1, 'b'))
    expect(script.violations()).toEqual(['lost-write'])
    expect(script.check().violations[0]?.stories[0]?.lines).toEqual([
      "at 0 ms producer sends 'a' to orders-0",
      "at 1 ms producer: sending 'a' to orders-0 at offset 0 succeeded",
      "at 5 ms reader reads 'b' of orders-0 at offset 1",
    ])
  })

  it('holds when anybody read it', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'b', 1)
    script.poll('reader-1', at(0, 'a'))
    script.poll('reader-2', at(1, 'b'))
    expect(script.violations()).toEqual([])
  })

  it('does not count a read that failed', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'b', 1)
    const poll = script.history.begin({ process: 'reader-1', kind: 'poll' })
    poll.failed(new Error('lost the connection'), { records: [at(0, 'a')] })
    script.poll('reader-2', at(1, 'b'))
    expect(script.violations()).toEqual(['lost-write'])
  })

  it('waits for a reader that gets so far', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'b', 1)
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('counts a transaction of unknown outcome as committed when part of it was read', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    transaction.send({ topic: 'orders', partition: 0, value: 'a' }).acknowledged(0)
    transaction.send({ topic: 'orders', partition: 0, value: 'b' }).acknowledged(1)
    transaction.unknown(new Error('timeout'))
    script.poll('reader', at(1, 'b'))
    expect(script.violations()).toEqual(['lost-write'])
  })

  it('says nothing of an unknown write that nobody read', () => {
    const script = new Script()
    script.sending('producer', 'a').unknown(new Error('timeout'), { offset: 0 })
    script.send('producer', 'b', 1)
    script.poll('reader', at(1, 'b'))
    expect(script.violations()).toEqual([])
  })
})
