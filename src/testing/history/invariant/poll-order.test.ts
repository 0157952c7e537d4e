import { describe, expect, it } from 'vitest'
import { Script, at, place } from '../reference/script.ts'

/** Four records, all of which one reader reads, so that none is lost. */
function written(): Script {
  const script = new Script()
  const values = ['a', 'b', 'c', 'd']
  values.forEach((value, offset) => script.send('producer', value, offset))
  script.poll('witness', ...values.map((value, offset) => at(offset, value)))
  return script
}

const orders = [{ topic: 'orders', partition: 0 }]

describe('J6: one operation reads one record after the other', () => {
  it('holds over the holes that markers and aborted records leave', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.sending('producer', 'b').failed(new Error('refused'))
    script.send('producer', 'c', 9)
    script.poll('reader', at(0, 'a'), at(9, 'c'))
    expect(script.violations()).toEqual([])
  })

  it('does not blame those who rightly do not see an aborted record that another saw', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.sending('producer', 'aborted').failed(new Error('refused'))
    script.send('producer', 'b', 2)
    script.poll('wrong', at(0, 'a'), at(1, 'aborted'), at(2, 'b'))
    script.poll('right', at(0, 'a'), at(2, 'b'))
    expect(script.violations()).toEqual(['aborted-read'])
  })

  it('is broken by a skip', () => {
    const script = written()
    script.poll('reader', at(0, 'a'), at(2, 'c'))
    expect(script.violations()).toEqual(['internal-poll-skip'])
    expect(script.check().violations[0]?.stories[0]).toEqual({
      summary: "reader reads orders-0 and misses 'b' of orders-0",
      lines: [
        "at 2 ms producer sends 'b' to orders-0",
        "at 3 ms producer: sending 'b' to orders-0 at offset 1 succeeded",
        "at 11 ms reader reads 'a' of orders-0 at offset 0",
        "at 11 ms reader reads 'c' of orders-0 at offset 2",
      ],
    })
  })

  it('is broken by going back, also to the same record', () => {
    const script = written()
    script.poll('reader-1', at(1, 'b'), at(0, 'a'))
    script.poll('reader-2', at(1, 'b'), at(1, 'b'))
    expect(script.check().violations).toMatchObject([
      { anomaly: 'internal-nonmonotonic-poll', count: 2 },
    ])
  })

  it('spans the polls of a transaction, also of an aborted one', () => {
    const script = written()
    const transaction = script.transaction('transactor')
    transaction.polled([at(0, 'a')])
    transaction.polled([at(2, 'c')])
    transaction.failed(new Error('aborted on purpose'))
    expect(script.violations()).toEqual(['internal-poll-skip'])
  })

  it('forgives a jump after a rebalance in the transaction', () => {
    for (const end of ['ok', 'failed'] as const) {
      const script = written()
      const transaction = script.transaction('transactor')
      transaction.polled([at(0, 'a')])
      script.history.note({ process: 'transactor', kind: 'rebalance', partitions: orders })
      transaction.polled([at(2, 'c')])
      transaction[end](end)
      expect(script.violations()).toEqual([])
    }
  })
})

describe('J7: a process reads on where it was', () => {
  it('is broken by a skip and by going back', () => {
    const script = written()
    script.poll('reader', at(0, 'a'))
    script.poll('reader', at(2, 'c'))
    script.poll('reader', at(1, 'b'))
    expect(script.violations()).toEqual(['poll-skip', 'nonmonotonic-poll'])
  })

  it('expects a process back where it was after a failed read', () => {
    const back = written()
    back.poll('reader', at(0, 'a'))
    const transaction = back.transaction('reader')
    transaction.polled([at(1, 'b')])
    transaction.failed(new Error('aborted on purpose'))
    back.poll('reader', at(1, 'b'))
    expect(back.violations()).toEqual([])

    const onward = written()
    onward.poll('reader', at(0, 'a'))
    const aborted = onward.transaction('reader')
    aborted.polled([at(1, 'b')])
    aborted.failed(new Error('aborted on purpose'))
    onward.poll('reader', at(2, 'c'))
    expect(onward.violations()).toEqual(['poll-skip'])
  })

  it('expects nothing after a read of unknown outcome', () => {
    for (const [offset, value] of [
      [1, 'b'],
      [2, 'c'],
    ] as const) {
      const script = written()
      script.poll('reader', at(0, 'a'))
      const transaction = script.transaction('reader')
      transaction.polled([at(1, 'b')])
      transaction.unknown(new Error('timeout'))
      script.poll('reader', at(offset, value))
      expect(script.violations()).toEqual([])
    }
  })

  it('forgets a key that is assigned no more, and keeps the others', () => {
    const gone = written()
    gone.poll('reader', at(0, 'a'))
    gone.history.note({ process: 'reader', kind: 'assign', partitions: [] })
    gone.history.note({ process: 'reader', kind: 'assign', partitions: orders })
    gone.poll('reader', at(2, 'c'))
    expect(gone.violations()).toEqual([])

    const kept = written()
    kept.poll('reader', at(0, 'a'))
    kept.history.note({ process: 'reader', kind: 'assign', partitions: orders })
    kept.poll('reader', at(2, 'c'))
    expect(kept.violations()).toEqual(['poll-skip'])
  })

  it('forgets a key at a seek', () => {
    const script = written()
    script.poll('reader', at(2, 'c'))
    script.history.note({ process: 'reader', kind: 'seek', offsets: [place(0)] })
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('forgets everything at a crash', () => {
    const script = written()
    script.poll('reader', at(2, 'c'))
    script.history.note({ process: 'reader', kind: 'crash' })
    script.poll('reader', at(0, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('only counts what subscribers do, unless their rebalances are recorded', () => {
    const script = written()
    script.history.note({ process: 'member', kind: 'subscribe', topics: ['orders'] })
    script.poll('member', at(0, 'a'))
    script.poll('member', at(2, 'c'))
    script.poll('member', at(1, 'b'))
    expect(script.violations()).toEqual([])
    expect(script.observations()).toEqual(['poll-skip', 'nonmonotonic-poll'])
    expect(script.violations({ rebalancesRecorded: true })).toEqual([
      'poll-skip',
      'nonmonotonic-poll',
    ])
  })

  it('forgets what a rebalance moved, and what is subscribed to no more', () => {
    const script = written()
    script.history.note({ process: 'member', kind: 'subscribe', topics: ['orders'] })
    script.poll('member', at(0, 'a'))
    script.history.note({ process: 'member', kind: 'rebalance', partitions: orders })
    script.poll('member', at(2, 'c'))
    script.history.note({ process: 'member', kind: 'subscribe', topics: ['payments'] })
    script.history.note({ process: 'member', kind: 'subscribe', topics: ['orders'] })
    script.poll('member', at(1, 'b'))
    expect(script.violations({ rebalancesRecorded: true })).toEqual([])
  })
})
