import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

describe('J3: what is read was sent and did not fail', () => {
  it('is broken by a read of a record whose send failed', () => {
    const script = new Script()
    script.sending('producer', 'a').failed(new Error('refused'))
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual(['aborted-read'])
  })

  it('is broken by a read of a record whose transaction was aborted afterwards', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    transaction.send({ topic: 'orders', partition: 0, value: 'a' })
    script.poll('reader', at(0, 'a'))
    transaction.failed(new Error('aborted on purpose'))
    expect(script.violations()).toEqual(['aborted-read'])
    expect(script.check().violations[0]?.stories[0]?.lines).toEqual([
      "at 1 ms transactor in transaction 0 sends 'a' to orders-0",
      "at 3 ms reader reads 'a' of orders-0 at offset 0",
      'at 4 ms transactor: transaction 0 failed (Error: aborted on purpose)',
    ])
  })

  it('holds for a record whose writer never learned the outcome', () => {
    const script = new Script()
    script.sending('producer', 'a').unknown(new Error('timeout'))
    script.sending('producer', 'b')
    script.poll('reader', at(0, 'a'), at(1, 'b'))
    expect(script.violations()).toEqual([])
  })

  it('is broken by a record that nobody sent', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.poll('reader', at(0, 'a'), at(1, 'from nowhere'))
    expect(script.violations()).toEqual(['phantom-read'])
  })

  it('says nothing of a topic-partition whose writers were not recorded', () => {
    const script = new Script()
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('forgives a failed read', () => {
    const script = new Script()
    script.sending('producer', 'a').failed(new Error('refused'))
    const poll = script.history.begin({ process: 'reader', kind: 'poll' })
    poll.failed(new Error('lost the connection'), { records: [at(0, 'a')] })
    expect(script.violations()).toEqual([])
  })
})

describe('J5: a transaction does not read what it sends', () => {
  it('is broken by one that does', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    transaction.send({ topic: 'orders', partition: 0, value: 'a' }).acknowledged(0)
    transaction.polled([at(0, 'a')])
    transaction.ok()
    expect(script.violations()).toEqual(['precommitted-read'])
  })

  it('is broken even when it is aborted', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    transaction.send({ topic: 'orders', partition: 0, value: 'a' })
    transaction.polled([at(0, 'a')])
    transaction.failed(new Error('aborted on purpose'))
    expect(script.violations()).toEqual(['precommitted-read'])
  })

  it('holds for one that reads what the transaction before it sent', () => {
    const script = new Script()
    const first = script.transaction('transactor')
    first.send({ topic: 'orders', partition: 0, value: 'a' }).acknowledged(0)
    first.ok()
    const second = script.transaction('transactor')
    second.polled([at(0, 'a')])
    second.ok()
    expect(script.violations()).toEqual([])
  })
})
