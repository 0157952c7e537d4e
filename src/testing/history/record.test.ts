import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { checkHistory } from './check.ts'
import { recordHistory, recordHistoryLines } from './record.ts'
import { at, Script } from './reference/script.ts'
import type { HistoryEvent } from './operation.ts'

const orders = { topic: 'orders', partition: 0 }

describe('recordHistory', () => {
  it('writes down each beginning and end, with the time', () => {
    const script = new Script()
    script.sending('producer', 'a').ok({ offset: 3 })
    script.poll('reader', at(3, 'a'))
    expect(script.history.events).toEqual([
      { event: 'begin', id: 0, atMs: 0, kind: 'send', process: 'producer', ...orders, value: 'a' },
      { event: 'end', id: 0, atMs: 1, outcome: 'ok', offset: 3 },
      { event: 'begin', id: 1, atMs: 2, kind: 'poll', process: 'reader' },
      {
        event: 'end',
        id: 1,
        atMs: 3,
        outcome: 'ok',
        reads: [{ ...orders, offsets: [3], values: ['a'] }],
      },
    ] satisfies HistoryEvent[])
  })

  it('writes down the steps of a transaction when they are taken', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    const send = transaction.send({ ...orders, value: 'a' })
    transaction.polled([at(1, 'b')])
    send.acknowledged(4)
    transaction.offsets('g', [{ ...orders, offset: 2 }])
    transaction.ok()
    expect(script.history.events.slice(1, -1)).toEqual([
      { event: 'step', id: 0, atMs: 1, step: 'send', ...orders, value: 'a' },
      {
        event: 'step',
        id: 0,
        atMs: 2,
        step: 'poll',
        reads: [{ ...orders, offsets: [1], values: ['b'] }],
      },
      { event: 'step', id: 0, atMs: 3, step: 'sent', send: 0, offset: 4 },
      {
        event: 'step',
        id: 0,
        atMs: 4,
        step: 'offsets',
        group: 'g',
        offsets: [{ ...orders, offset: 2 }],
      },
    ] satisfies HistoryEvent[])
  })

  it('brings the records of a poll together by topic-partition, in their order', () => {
    const script = new Script()
    const other = { topic: 'orders', partition: 1, offset: 9, value: 'x' }
    script.poll('reader', at(0, 'a'), other, at(1, 'b'))
    expect(script.history.events[1]).toMatchObject({
      reads: [
        { ...orders, offsets: [0, 1], values: ['a', 'b'] },
        { topic: 'orders', partition: 1, offsets: [9], values: ['x'] },
      ],
    })
  })

  it('keeps copies, so that what the caller does later changes nothing', () => {
    const { history } = new Script()
    const offsets = [{ ...orders, offset: 1 }]
    history.begin({ process: 'member', kind: 'commit', group: 'g', offsets }).ok()
    offsets.push({ ...orders, offset: 2 })
    expect(history.events[0]).toMatchObject({ offsets: [{ ...orders, offset: 1 }] })
  })

  it('writes down what an error said', () => {
    const script = new Script()
    const error = Object.assign(new TypeError('no'), { code: 'REFUSED' })
    script.sending('producer', 'a').failed(error)
    script.sending('producer', 'b').unknown('no answer')
    expect(script.history.events).toMatchObject([
      {},
      { outcome: 'failed', error: 'TypeError REFUSED: no' },
      {},
      { outcome: 'unknown', error: 'no answer' },
    ])
  })

  it('never lets time step back', () => {
    const readings = [5, 3, 9]
    const history = recordHistory({ now: () => readings.shift() ?? 0 })
    history.begin({ process: 'producer', kind: 'send', ...orders, value: 'a' }).ok({ offset: 0 })
    history.note({ process: 'producer', kind: 'crash' })
    expect(history.events.map(({ atMs }) => atMs)).toEqual([5, 5, 9, 9])
  })

  it('refuses a second end, and a step after the end', () => {
    const script = new Script()
    const send = script.sending('producer', 'a')
    send.ok({ offset: 0 })
    expect(() => send.unknown(new Error('late'))).toThrow('history operation 0 has ended')
    const transaction = script.transaction('transactor')
    const step = transaction.send({ ...orders, value: 'b' })
    transaction.ok()
    expect(() => step.acknowledged(1)).toThrow('history operation 1 has ended')
    expect(script.history.events).toHaveLength(5)
  })

  it('refuses what cannot be meant, and says what is allowed', () => {
    const script = new Script()
    expect(() => script.send('producer', Number.NaN, 0)).toThrow(
      'history.value (NaN) must be a string or a finite number',
    )
    expect(() => script.poll('reader', at(-1, 'a'))).toThrow(
      'history.offset (-1) must be a whole number of at least 0',
    )
    expect(() => script.poll('reader', at(0.5, 'a'))).toThrow('history.offset (0.5)')
    const wrong = { process: 'reader', kind: 'peek' } as unknown as {
      process: string
      kind: 'poll'
    }
    expect(() => script.history.begin(wrong)).toThrow(
      'history.kind (peek) must be one of send, poll',
    )
    try {
      script.poll('reader', at(-1, 'a'))
    } catch (error) {
      expect(isMillraceError(error, 'MILLRACE_OPTION_INVALID')).toBe(true)
    }
  })

  it('takes an operation that never ended as unknown', () => {
    const script = new Script()
    script.sending('producer', 'a')
    expect(checkHistory(script.history).figures).toMatchObject({ operations: 1, unknown: 1 })
  })
})

describe('recordHistoryLines', () => {
  it('writes each event at once, as a line', () => {
    const lines: string[] = []
    const recorder = recordHistoryLines({ now: () => 1.5, write: (line) => lines.push(line) })
    const send = recorder.begin({ process: 'producer', kind: 'send', ...orders, value: 'a' })
    expect(lines).toHaveLength(1)
    send.ok({ offset: undefined })
    expect(lines).toEqual([
      '{"event":"begin","id":0,"atMs":1.5,"kind":"send","process":"producer","topic":"orders","partition":0,"value":"a"}\n',
      '{"event":"end","id":0,"atMs":1.5,"outcome":"ok"}\n',
    ])
  })
})
