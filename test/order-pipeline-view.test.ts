/** What `npm start` shows: a state as lines, and lines on a terminal. */
import { describe, expect, it } from 'vitest'
import { renderLive, renderPlain } from '../examples/order-pipeline/harness/live-view.ts'
import type { LiveState } from '../examples/order-pipeline/harness/live-view.ts'
import { sumIn } from '../examples/order-pipeline/harness/metrics-pages.ts'
import { optionsIn } from '../examples/order-pipeline/harness/options.ts'
import { TerminalPicture } from '../examples/order-pipeline/harness/picture/terminal-picture.ts'
import { Screen } from '../examples/order-pipeline/harness/screen.ts'

const state: LiveState = {
  cluster: 'The embedded broker (in memory, gone when this ends) is at 127.0.0.1:9092.',
  shop: 'the shop is open for 12 s more',
  topics: [
    { name: 'orders', total: 12_345, perSecond: 498.6 },
    { name: 'payments', total: 11_000, perSecond: 0 },
  ],
  services: [
    {
      ...{ name: 'fulfilment', perSecond: 487, lag: 12, inFlight: 31, retries: 140 },
      addresses: ['http://127.0.0.1:40001/metrics', 'http://127.0.0.1:40002/metrics'],
    },
    { name: 'dead-letters', perSecond: 0, lag: 0, inFlight: 0, retries: 0, addresses: [] },
  ],
  join: { matched: 9_876, late: 3, unmatched: 40, waiting: 512 },
  revenue: { total: 654_321, minutes: 700 },
  letters: new Map([
    ['DecodeError', 10],
    ['UnmatchedRecord', 40],
  ]),
  happenings: ['killed one', 'killed two', 'killed three', 'killed four'],
}

describe('the live view', () => {
  it('shows everything within 80 columns', () => {
    expect(renderLive(state, { columns: 80, colors: false })).toEqual([
      'Millrace: the order pipeline   the shop is open for 12 s more',
      'The embedded broker (in memory, gone when this ends) is at 127.0.0.1:9092.',
      '',
      'topic                          records  per second',
      'orders                          12,345       499/s',
      'payments                        11,000         0/s',
      '',
      'service      per second     lag in flight retries  metrics',
      'fulfilment        487/s      12        31     140  127.0.0.1:40001 :40002',
      'dead-letters        0/s       0         0       0  starting',
      '',
      'joined  9,876 orders paid · 512 waiting · 3 late · 40 unmatched',
      'revenue 654,321 in 700 minutes that have closed',
      'letters 50 in all · 40 UnmatchedRecord · 10 DecodeError',
      'killed two',
      'killed three',
      'killed four',
    ])
  })

  it.each([20, 43, 80, 200])(
    'is never wider than %i columns, with colours or without',
    (columns) => {
      for (const colors of [true, false]) {
        const lines = renderLive(state, { columns, colors })
        const shown = lines.map((line) => line.replaceAll(/\u001B\[\d*m/g, ''))
        expect(shown).toEqual(renderLive(state, { columns, colors: false }))
        expect(Math.max(...shown.map(({ length }) => length))).toBeLessThanOrEqual(columns)
        expect(lines.join('').includes('\u001B')).toBe(colors)
      }
    },
  )

  it('cuts no reason of a dead letter', () => {
    const names = Array.from({ length: 12 }, (_, index) => `ReasonNumber${index}`)
    const letters = new Map(names.map((name, index) => [name, index + 1]))
    const text = renderLive({ ...state, letters }, { columns: 80, colors: false }).join('\n')
    for (const name of names) expect(text).toContain(name)
    expect(text).not.toContain('…')
  })

  it('is one line where nobody can draw', () => {
    expect(renderPlain(state)).toBe(
      'orders 12345 (499/s) · payments 11000 (0/s) · behind: fulfilment 12, dead-letters 0 · joined 9876, 512 waiting · dead letters 50',
    )
  })
})

describe('the screen', () => {
  it('draws each frame over the one before, and leaves nothing of it', () => {
    const picture = new TerminalPicture()
    const terminal = { columns: 80, rows: 24, write: (text: string) => picture.write(text) }
    terminal.write('what was there before\n')
    using screen = new Screen(terminal)
    screen.draw(['one', 'a long second line', 'three'])
    screen.draw(['first', 'second'])
    expect(picture.lines).toEqual(['what was there before', 'first', 'second'])
    screen.draw(['1', '2', '3', '4'])
    expect(picture.lines).toEqual(['what was there before', '1', '2', '3', '4'])
  })

  it('clears nothing before it has drawn, so that nothing flickers', () => {
    let written = ''
    using screen = new Screen({ columns: 80, rows: 24, write: (text: string) => (written = text) })
    screen.draw(['one', 'two'])
    screen.draw(['three', 'four'])
    expect(written).not.toContain('\u001B[2J')
    expect(written.indexOf('\u001B[J')).toBeGreaterThan(written.indexOf('four'))
  })

  it('draws no more than the window has', () => {
    const picture = new TerminalPicture()
    const terminal = { columns: 80, rows: 4, write: (text: string) => picture.write(text) }
    using screen = new Screen(terminal)
    const lines = ['1', '2', '3', '4', '5', '6']
    screen.draw(lines)
    screen.draw(lines)
    expect(picture.lines).toEqual(['1', '2', '3'])
  })
})

describe('the command line', () => {
  const on = (isTerminal: boolean, env: Record<string, string> = {}, ...args: string[]) =>
    optionsIn(args, { isTerminal, env })

  it('draws where there is a terminal, unless it is told not to', () => {
    expect(on(true)?.isLive).toBe(true)
    expect(on(false)?.isLive).toBe(false)
    expect(on(true, {}, '--plain')?.isLive).toBe(false)
    expect(on(true, { TERM: 'dumb' })?.isLive).toBe(false)
    expect(on(false, {}, '--live')?.isLive).toBe(true)
  })

  it('has no colours where nobody wants them', () => {
    expect(on(true)?.colors).toBe(true)
    expect(on(true, { NO_COLOR: '1' })?.colors).toBe(false)
    expect(on(true, { NO_COLOR: '' })?.colors).toBe(true)
  })

  it('kills only what it can kill', () => {
    expect(on(false, {}, '--chaos')?.workers).toBe(2)
    expect(() => on(false, {}, '--chaos', '--workers', '0')).toThrow('--chaos needs --workers 1')
  })
})

it('a page of metrics is added up by name', () => {
  const page = [
    '# HELP retries_total Retries.',
    'retries_total{topic="a b",kind="in_place"} 3',
    'retries_total{topic="c}",kind="x"} 4',
    'retries_total_other 100',
    'plain 7',
    '',
  ].join('\n')
  expect(sumIn(page, 'retries_total')).toBe(7)
  expect(sumIn(page, 'plain')).toBe(7)
  expect(sumIn(page, 'absent')).toBe(0)
})
