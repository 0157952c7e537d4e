import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

const orders = { topic: 'orders', partition: 0 }
const payments = { topic: 'payments', partition: 0 }

describe('J10: there is an order in which it can have happened', () => {
  it('holds for a chain of reads and writes', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    const transaction = script.transaction('transactor')
    transaction.polled([at(0, 'a')])
    transaction.send({ ...payments, value: 'b' }).acknowledged(0)
    transaction.ok()
    script.poll('reader', { ...payments, offset: 0, value: 'b' })
    expect(script.violations({ writeOrderEdges: true })).toEqual([])
    expect(script.observations({ writeOrderEdges: true })).toEqual([])
  })

  it('is broken by two transactions that read each other', () => {
    const script = new Script()
    const first = script.transaction('one')
    const second = script.transaction('two')
    first.send({ ...orders, value: 'a' }).acknowledged(0)
    second.send({ ...payments, value: 'b' }).acknowledged(0)
    first.polled([{ ...payments, offset: 0, value: 'b' }])
    second.polled([at(0, 'a')])
    first.ok()
    second.ok()
    for (const realtimeEdges of [true, false]) {
      expect(script.violations({ realtimeEdges })).toEqual(['information-cycle'])
    }
    expect(script.check().violations[0]?.stories[0]?.summary).toBe(
      "two in transaction 1 read 'a' of orders-0, sent by one in transaction 0; " +
        "one in transaction 0 read 'b' of payments-0, sent by two in transaction 1",
    )
  })

  it('is broken by a read of what is only sent later', () => {
    const script = new Script()
    script.poll('reader', at(0, 'a'))
    script.send('producer', 'a', 0)
    expect(script.violations()).toEqual(['information-cycle'])
    expect(script.check().violations[0]?.stories[0]?.summary).toBe(
      "reader read 'a' of orders-0, sent by producer; " +
        'poll 0 of reader had ended before send 1 of producer began',
    )
    // Without a common clock, nobody can tell.
    expect(script.violations({ realtimeEdges: false })).toEqual([])
  })

  it('sees a circle through time and several operations', () => {
    const script = new Script()
    const long = script.transaction('long')
    long.send({ ...orders, value: 'a' }).acknowledged(0)
    script.poll('reader', at(0, 'a'))
    const short = script.transaction('short')
    short.send({ ...payments, value: 'b' }).acknowledged(0)
    short.ok()
    long.polled([{ ...payments, offset: 0, value: 'b' }])
    long.ok()
    expect(script.violations()).toEqual(['information-cycle'])
    expect(script.check().violations[0]?.stories).toHaveLength(1)
  })

  it('orders what one process does without a common clock', () => {
    const script = new Script()
    script.poll('client', at(0, 'a'))
    script.send('client', 'a', 0)
    expect(script.violations({ realtimeEdges: false })).toEqual(['information-cycle'])
  })

  it('takes what runs at the same time as unordered', () => {
    const script = new Script()
    const poll = script.history.begin({ process: 'client', kind: 'poll' })
    const send = script.sending('client', 'a')
    poll.ok({ records: [at(0, 'a')] })
    send.ok({ offset: 0 })
    expect(script.violations()).toEqual([])
  })

  it('does not take an unknown outcome for an end: it may come true any time later', () => {
    const script = new Script()
    script.sending('producer-1', 'late').unknown(new Error('timeout'))
    script.send('producer-2', 'a', 0)
    script.poll('reader', at(0, 'a'), at(1, 'late'))
    expect(script.observations({ writeOrderEdges: true })).toEqual([])

    const known = new Script()
    known.sending('producer-1', 'late').ok({ offset: 1 })
    known.send('producer-2', 'a', 0)
    expect(known.observations({ writeOrderEdges: true })).toEqual(['write-cycle'])
  })

  it('counts interleaved writes, which Kafka allows, and circles that need them', () => {
    const script = new Script()
    const first = script.transaction('one')
    const second = script.transaction('two')
    first.send({ ...orders, value: 'a1' }).acknowledged(0)
    second.send({ ...orders, value: 'a2' }).acknowledged(1)
    second.send({ ...payments, value: 'b2' }).acknowledged(0)
    first.send({ ...payments, value: 'b1' }).acknowledged(1)
    first.ok()
    second.ok()
    expect(script.violations({ writeOrderEdges: true })).toEqual([])
    expect(script.observations({ writeOrderEdges: true })).toEqual(['write-cycle'])
    expect(script.observations()).toEqual([])
    expect(script.violations({ writeOrderEdges: true, forbid: ['write-cycle'] })).toEqual([
      'write-cycle',
    ])
  })

  it('counts a circle of a read and the order of writes', () => {
    const script = new Script()
    const first = script.transaction('one')
    const second = script.transaction('two')
    first.send({ ...orders, value: 'a1' }).acknowledged(0)
    second.send({ ...orders, value: 'a2' }).acknowledged(1)
    second.send({ ...payments, value: 'b2' }).acknowledged(0)
    second.ok()
    first.polled([{ ...payments, offset: 0, value: 'b2' }])
    first.ok()
    expect(script.violations({ writeOrderEdges: true })).toEqual([])
    expect(script.check({ writeOrderEdges: true }).observations).toMatchObject([
      {
        anomaly: 'information-cycle-by-write-order',
        stories: [
          {
            summary:
              "one in transaction 0 read 'b2' of payments-0, sent by two in transaction 1; " +
              "'a1' of orders-0 stands before 'a2' of orders-0",
          },
        ],
      },
    ])
  })
})
