import { describe, expect, it } from 'vitest'
import { Script, at } from '../reference/script.ts'

const orders = { topic: 'orders', partition: 0 }

describe('J8: sends of a process keep their order', () => {
  it('holds with the records of others in between', () => {
    const script = new Script()
    script.send('producer-1', 'a', 0)
    script.send('producer-2', 'x', 1)
    script.send('producer-1', 'b', 2)
    expect(script.violations()).toEqual([])
  })

  it('is broken by acknowledged offsets that go back', () => {
    const script = new Script()
    script.send('producer', 'a', 5)
    script.send('producer', 'b', 4)
    expect(script.violations()).toEqual(['nonmonotonic-send'])
  })

  it('is broken by two records that are acknowledged at one offset', () => {
    const script = new Script()
    script.send('producer', 'a', 5)
    script.send('producer', 'b', 5)
    expect(script.violations()).toEqual(['inconsistent-offsets', 'nonmonotonic-send'])
  })

  it('goes by the order of the calls when several run at once', () => {
    const script = new Script()
    const first = script.sending('producer', 'a')
    const second = script.sending('producer', 'b')
    second.ok({ offset: 1 })
    first.ok({ offset: 0 })
    expect(script.violations()).toEqual([])
  })

  it('sees a late write by its reader, though its sender never learned of it', () => {
    const script = new Script()
    script.sending('producer', 'a').unknown(new Error('timeout'))
    script.send('producer', 'b', 0)
    script.poll('reader', at(0, 'b'), at(1, 'a'))
    expect(script.violations()).toEqual(['nonmonotonic-send'])
  })

  it('expects nothing of what the process sent before a crash', () => {
    const script = new Script()
    script.sending('producer', 'a')
    script.history.note({ process: 'producer', kind: 'crash' })
    script.send('producer', 'b', 0)
    script.poll('reader', at(0, 'b'), at(1, 'a'))
    expect(script.violations()).toEqual([])
  })

  it('is broken inside of a transaction, where others may write in between', () => {
    const script = new Script()
    const transaction = script.transaction('transactor')
    const [a, b, c] = ['a', 'b', 'c'].map((value) => transaction.send({ ...orders, value }))
    script.send('producer', 'x', 1)
    a?.acknowledged(0)
    b?.acknowledged(3)
    c?.acknowledged(2)
    transaction.ok()
    expect(script.violations()).toEqual(['internal-nonmonotonic-send'])
    expect(script.observations()).toEqual(['internal-send-skip'])
    expect(script.violations({ forbid: ['internal-send-skip'] })).toContain('internal-send-skip')
  })
})
