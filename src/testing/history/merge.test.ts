import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory } from './check.ts'
import { historyLines, readHistory } from './json-lines.ts'
import { mergeHistories } from './merge.ts'
import { recordHistoryLines } from './record.ts'
import { generateHistory } from './reference/generate-history.ts'
import { Script, at } from './reference/script.ts'
import type { History, HistoryEvent } from './operation.ts'

const orders = { topic: 'orders', partition: 0 }

interface Part {
  readonly events: HistoryEvent[]
  readonly ids: Map<number, number>
}

/** The history as each process on its own would have recorded it, with times that tell them apart. */
function split(history: History): History[] {
  const processOf = new Map<number, string>()
  const parts = new Map<string, Part>()
  history.events.forEach((event, position) => {
    if (event.event === 'begin') processOf.set(event.id, event.process)
    const process = processOf.get(event.id) ?? ''
    const part: Part = parts.get(process) ?? { events: [], ids: new Map() }
    parts.set(process, part)
    if (event.event === 'begin') part.ids.set(event.id, part.ids.size)
    part.events.push({ ...event, id: part.ids.get(event.id) ?? -1, atMs: position })
  })
  return [...parts.values()]
}

describe('readHistory', () => {
  it('reads what was written, event for event', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const history = generateHistory({ seed, turnCount: 300 })
        expect(readHistory(historyLines(history))).toEqual(history)
        expect(readHistory([...historyLines(history)].join(''))).toEqual(history)
      }),
      { seed: 7, numRuns: 5 },
    )
  })

  it('drops a torn last line: what it would have ended is unknown', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    const text = [...historyLines(script.history)].join('').slice(0, -10)
    const history = readHistory(text)
    expect(history.events).toHaveLength(1)
    expect(checkHistory(history).figures.unknown).toBe(1)
  })

  it('refuses any other line that is no event, and names it', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    const [begin, end] = [...historyLines(script.history)]
    expect(() => readHistory(`${begin}{"event":"e\n${end}`)).toThrow(
      'history line 2 ({"event":"e) is not an event',
    )
    expect(() => readHistory(`${end}`)).toThrow('history line 1')
    expect(() => readHistory(`${begin}${end}${end}`)).toThrow('history line 3')
    expect(() => readHistory('{"event":"begin","id":0,"atMs":0,"kind":"poll"}\n')).toThrow(
      'history line 1',
    )
    const poll = new Script()
    poll.poll('reader', at(0, 'a'), at(1, 'b'))
    const uneven = [...historyLines(poll.history)].join('').replace('["a","b"]', '["a"]')
    expect(() => readHistory(uneven)).toThrow('history line 2')
  })

  it('reads the file of a process that was started again: numbers begin anew', () => {
    const lines: string[] = []
    let atMs = 0
    for (const value of ['a', 'b']) {
      const recorder = recordHistoryLines({ now: () => atMs++, write: (line) => lines.push(line) })
      const send = recorder.begin({ process: 'producer', kind: 'send', ...orders, value })
      if (value === 'b') send.ok({ offset: 1 })
    }
    const { events } = readHistory(lines)
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['begin', 0],
      ['begin', 1],
      ['end', 1],
    ])
  })
})

describe('mergeHistories', () => {
  it('puts the recordings of several processes together as one recorder would have it', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const history = generateHistory({ seed, turnCount: 300 })
        const timed = history.events.map((event, atMs) => ({ ...event, atMs }))
        expect(mergeHistories(...split(history)).events).toEqual(timed)
      }),
      { seed: 7, numRuns: 5 },
    )
  })

  it('takes what happened at the same time as concurrent', () => {
    const history = (script: (history: Script) => void): History => {
      const one = new Script()
      script(one)
      return { events: one.history.events.map((event) => ({ ...event, atMs: 0 })) }
    }
    const reader = history((script) => script.poll('reader', at(0, 'a')))
    const producer = history((script) => script.send('producer', 'a', 0))
    for (const merged of [mergeHistories(reader, producer), mergeHistories(producer, reader)]) {
      expect(merged.events.map(({ event }) => event)).toEqual(['begin', 'begin', 'end', 'end'])
      expect(checkHistory(merged).valid).toBe(true)
    }
  })
})
