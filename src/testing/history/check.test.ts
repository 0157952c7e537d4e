import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { assertHistory, checkHistory } from './check.ts'
import { HistoryViolationError } from './report.ts'
import { generateHistory } from './reference/generate-history.ts'
import { Script, at } from './reference/script.ts'
import type { Anomaly } from './anomaly.ts'
import type { Defect } from './reference/reference-world.ts'
import type { History } from './operation.ts'

const strict = { rebalancesRecorded: true, storiesMax: 1 }

describe('a valid history', () => {
  it('breaks no promise, whatever the interleaving', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          turnCount: fc.integer({ min: 0, max: 3000 }),
          logCount: fc.integer({ min: 1, max: 6 }),
          clientCount: fc.integer({ min: 0, max: 4 }),
          memberCount: fc.integer({ min: 0, max: 4 }),
        }),
        (options) => {
          const history = generateHistory(options)
          for (const more of [{ writeOrderEdges: true }, { realtimeEdges: false }]) {
            const report = checkHistory(history, { ...strict, ...more })
            expect(report.violations, report.toString()).toEqual([])
          }
        },
      ),
      { seed: 7, numRuns: 40 },
    )
  })

  it('of the reference model has something of everything, so that the above says something', () => {
    const history = generateHistory({ seed: 1, turnCount: 6000, memberCount: 4 })
    const { figures, observations } = checkHistory(history, { ...strict, writeOrderEdges: true })
    for (const figure of ['ok', 'failed', 'unknown', 'handlers', 'reads', 'writes'] as const) {
      expect(figures[figure], figure).toBeGreaterThan(50)
    }
    expect(figures.worstLag?.lagMs).toBeGreaterThan(0)
    expect(observations.map(({ anomaly }) => anomaly)).toEqual([
      'internal-send-skip',
      'information-cycle-by-write-order',
      'write-cycle',
    ])
    const kinds = new Set(
      history.events.flatMap((event) => (event.event === 'begin' ? event.kind : [])),
    )
    expect([...kinds].sort().join(' ')).toBe(
      'assign commit crash final handler poll rebalance seek send subscribe transaction',
    )
  })
})

/** For each defect of the model: what must be found, and what else may be, as it follows from it. */
const consequences: Record<Defect, { found: readonly Anomaly[]; also: readonly Anomaly[] }> = {
  'acknowledges and loses': {
    found: ['lost-write', 'unseen', 'vanished'],
    also: ['internal-poll-skip', 'poll-skip', 'commit-past-unended'],
  },
  'appends twice': { found: ['duplicate'], also: [] },
  'answers another value': {
    found: ['inconsistent-offsets'],
    also: ['duplicate', 'nonmonotonic-send'],
  },
  'reads aborted records': {
    found: ['aborted-read'],
    also: ['lost-write', 'internal-poll-skip', 'poll-skip', 'vanished', 'commit-past-unended'],
  },
  'reads open transactions': {
    found: ['aborted-read', 'precommitted-read', 'information-cycle'],
    also: ['lost-write', 'internal-poll-skip', 'poll-skip', 'vanished', 'commit-past-unended'],
  },
  'reads its own open transaction': {
    found: ['precommitted-read'],
    also: ['internal-poll-skip', 'poll-skip'],
  },
  'skips a record': { found: ['poll-skip', 'internal-poll-skip'], also: [] },
  'reads a record again': { found: ['nonmonotonic-poll', 'internal-nonmonotonic-poll'], also: [] },
  'keeps its position after an abort': { found: ['poll-skip'], also: [] },
  'appends in another order': { found: ['nonmonotonic-send'], also: [] },
  'says failed and commits': { found: ['aborted-read'], also: [] },
  'says committed and aborts': {
    found: ['lost-write', 'unseen'],
    also: ['internal-poll-skip', 'poll-skip'],
  },
  'forgets at the end': {
    found: ['vanished', 'unseen'],
    also: ['lost-write', 'internal-poll-skip', 'poll-skip'],
  },
  'commits what was polled': {
    found: ['commit-past-unended'],
    also: ['commit-decreased', 'handler-out-of-order'],
  },
  'commits backwards': { found: ['commit-decreased'], also: [] },
  'releases while a handler runs': {
    found: ['overlapping-handlers'],
    also: ['handler-out-of-order', 'commit-decreased', 'commit-past-unended'],
  },
  'starts a key out of order': {
    found: ['handler-out-of-order', 'overlapping-handlers'],
    also: [],
  },
}

describe('a history of the reference model with a defect', () => {
  for (const [defect, { found, also }] of Object.entries(consequences)) {
    it(`that ${defect}: ${found.join(', ')}`, () => {
      const seen = new Set<Anomaly>()
      const isFound = () => found.every((anomaly) => seen.has(anomaly))
      for (let seed = 1; seed <= 12 || (seed <= 40 && !isFound()); seed += 1) {
        const history = generateHistory({ seed, defect: defect as Defect, memberCount: 3 })
        for (const { anomaly } of checkHistory(history, strict).violations) seen.add(anomaly)
      }
      expect([...seen]).toEqual(expect.arrayContaining([...found]))
      expect([...found, ...also]).toEqual(expect.arrayContaining([...seen]))
    })
  }
})

describe('the report', () => {
  function broken(): Script {
    const script = new Script()
    for (const value of ['a', 'b', 'c', 'd']) {
      const transaction = script.transaction('transactor')
      transaction.send({ topic: 'orders', partition: 0, value })
      transaction.failed(new Error('aborted on purpose'))
    }
    script.poll('reader', at(0, 'a'), at(2, 'b'), at(4, 'c'), at(6, 'd'))
    return script
  }

  it('tells the shortest story of each case, and how to see it again', () => {
    const report = broken().check({ replay: 'npm run simulate -- --seed 42', storiesMax: 2 })
    expect(report.valid).toBe(false)
    expect(report.toString()).toBe(
      [
        'The history breaks 1 promise.',
        '5 operations (1 ok, 4 failed, 0 unknown), 4 records sent to 1 partition, 4 read, 0 handled',
        'No final phase: J9 was not judged.',
        '',
        'J3 aborted-read: a record was read whose send or transaction failed (4 cases)',
        "  'a' of orders-0 was read, though its writer failed",
        "    at 1 ms transactor in transaction 0 sends 'a' to orders-0",
        '    at 2 ms transactor: transaction 0 failed (Error: aborted on purpose)',
        "    at 13 ms reader reads 'a' of orders-0 at offset 0",
        "  'b' of orders-0 was read, though its writer failed",
        "    at 4 ms transactor in transaction 1 sends 'b' to orders-0",
        '    at 5 ms transactor: transaction 1 failed (Error: aborted on purpose)',
        "    at 13 ms reader reads 'b' of orders-0 at offset 2",
        '  … and 2 more',
        '',
        'Replay: npm run simulate -- --seed 42',
      ].join('\n'),
    )
  })

  it('is what assertHistory throws', () => {
    const { history } = broken()
    try {
      assertHistory(history, { replay: 'npm run simulate -- --seed 42' })
      expect.unreachable()
    } catch (error) {
      expect(isMillraceError(error, 'MILLRACE_HISTORY_VIOLATED')).toBe(true)
      expect(error).toBeInstanceOf(HistoryViolationError)
      const { report, message } = error as HistoryViolationError
      expect(message).toBe(report.toString())
      expect(message).toContain('Replay: npm run simulate -- --seed 42')
    }
    expect(assertHistory({ events: [] }).valid).toBe(true)
  })

  it('counts what the caller allows, without judging it', () => {
    const report = broken().check({ allow: ['aborted-read'] })
    expect(report.valid).toBe(true)
    expect(report.observations).toMatchObject([{ anomaly: 'aborted-read', count: 4 }])
    expect(report.toString()).toContain('Seen, and allowed:\n  J3 aborted-read')
  })

  it('refuses the name of an anomaly that there is not', () => {
    const allow = ['aborted-reads'] as unknown as Anomaly[]
    expect(() => checkHistory({ events: [] }, { allow })).toThrow('(aborted-reads) must be of')
  })

  it('is the same for the same history', () => {
    const options = { seed: 3, defect: 'acknowledges and loses' } as const
    const [one, two] = [generateHistory(options), generateHistory(options)]
    expect(checkHistory(one).toString()).toBe(checkHistory(two).toString())
  })
})

describe('a history that no recorder can have written', () => {
  const begin = { event: 'begin', id: 0, atMs: 0, kind: 'crash', process: 'p' } as const
  const end = { event: 'end', id: 0, atMs: 0, outcome: 'ok' } as const

  it('is refused', () => {
    expect(() => checkHistory({ events: [{ ...begin, id: 1 }] })).toThrow(
      'history.events[0].id (1)',
    )
    expect(() => checkHistory({ events: [end] })).toThrow('history.events[0].id (0)')
    expect(() => checkHistory({ events: [begin, end, end] })).toThrow('history.events[2].id (0)')
  })

  it('is refused when a value is sent twice: then nobody can tell the records apart', () => {
    const script = new Script()
    script.send('producer', 'a', 0)
    script.send('producer', 'a', 1)
    expect(() => script.check()).toThrow(
      'history.events[2].value (a) must be sent to orders-0 only once',
    )
  })

  it('is refused when an acknowledgement names a record that was not sent', () => {
    const step = { event: 'step', id: 0, atMs: 0, step: 'sent', send: 0, offset: 1 } as const
    const events = [{ ...begin, kind: 'transaction' } as const, step]
    expect(() => checkHistory({ events })).toThrow('history.events[1].send (0)')
  })
})

describe('the cost of a check', () => {
  it('grows with the history and not with its square', () => {
    const small = generateHistory({ seed: 1, turnCount: 10_000, logCount: 6 })
    const large = generateHistory({ seed: 1, turnCount: 40_000, logCount: 6 })
    checkHistory(small)
    checkHistory(large)
    // The least of several runs, in turn: what disturbs a measurement only ever adds to it.
    const costs = [Infinity, Infinity]
    for (let round = 0; round < 3; round += 1) {
      ;[small, large].forEach((history, which) => {
        costs[which] = Math.min(costs[which] ?? 0, cpuOf(history))
      })
    }
    const [smallCost = 1, largeCost = Infinity] = costs
    expect(large.events.length / small.events.length).toBeGreaterThan(3.5)
    expect(largeCost / smallCost).toBeLessThan(8)
  })
})

function cpuOf(history: History): number {
  const before = process.cpuUsage()
  checkHistory(history, { writeOrderEdges: true })
  const { user, system } = process.cpuUsage(before)
  return user + system
}
