import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMetadata, writeMetadata } from './commit-metadata.ts'
import { NaivePartition } from './fixture/naive-partition.ts'
import { Ledger, failingMax } from './ledger.ts'
import type { LedgerSnapshot } from './ledger.ts'

const lineage = { clusterId: 'cluster', topicId: 'topic' }

/** The metadata of a commit of the state. */
function metadataOf(state: LedgerSnapshot): string {
  const written = writeMetadata({ ...state, leaderEpoch: 3, mark: undefined }, lineage)
  expect(written.isComplete).toBe(true)
  return written.text
}

function named({ frontier, endedAbove }: { frontier: number; endedAbove: Uint8Array }): number[] {
  const offsets: number[] = []
  for (let index = 0; index < endedAbove.length * 8; index += 1) {
    if ((((endedAbove[index >>> 3] as number) >>> (index & 7)) & 1) === 1) {
      offsets.push(frontier + index)
    }
  }
  return offsets
}

const ledgerAt = (frontier: number, window = 64) => new Ledger({ frontier, window })

const gap = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 60, max: 400 }) },
  { weight: 1, arbitrary: fc.constantFrom(64, 128, 65_536, 1_000_000_000) },
)
const pick = fc.nat({ max: 1_000_000 })
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      gaps: fc.array(gap, { maxLength: 40, size: 'max' }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('read' as const), count: fc.nat({ max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('appendGap' as const), gap }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      picks: fc.array(pick, { maxLength: 60, size: 'max' }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('endInOrder' as const), count: fc.nat({ max: 60 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      picks: fc.array(pick, { maxLength: 90, size: 'max' }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('seek' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commit' as const), isAcknowledged: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const history = fc.record({
  start: fc.constantFrom(0, 1, 1_000, 2 ** 31 - 30, 2 ** 32 - 70, 2 ** 33 + 5, 2 ** 52),
  window: fc.constantFrom(1, 5, 64, 100, 128, 300),
  steps: fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }),
})

/** Compares much faster than `expect`, of which there would be millions. */
function same<Value>(actual: Value, expected: Value, what: string): void {
  if (actual !== expected) expect(actual, what).toBe(expected)
}

/** A ledger and its model, taken through the same history. */
class Pair {
  ledger: Ledger
  readonly naive: NaivePartition
  readonly #window: number
  /** What the broker has: the last commit that was acknowledged. */
  #committed: { readonly offset: number; readonly text: string }
  readonly #acknowledgedAttempts = new Map<number, number>()

  constructor(start: number, window: number) {
    this.ledger = ledgerAt(start, window)
    this.naive = new NaivePartition(start)
    this.#window = window
    this.#committed = { offset: start, text: metadataOf(this.ledger.state()) }
  }

  take(step: Step): void {
    const { ledger, naive } = this
    if (step.do === 'append') for (const gap of step.gaps) naive.append(gap)
    else if (step.do === 'appendGap') naive.logEnd += step.gap
    else if (step.do === 'read') this.#read(step.count)
    else if (step.do === 'end')
      for (const pick of step.picks) this.#withStarted(pick, (offset) => this.#end(offset))
    else if (step.do === 'endInOrder')
      for (let count = step.count; count > 0 && naive.open.size > 0; count -= 1)
        this.#end(naive.frontier)
    else if (step.do === 'fail')
      for (const pick of step.picks) this.#withStarted(pick, (offset) => this.#fail(offset))
    else if (step.do === 'commit') this.#commit(step.isAcknowledged)
    else if (step.do === 'crash') this.#crash()
    else if (step.do === 'truncate') {
      const ends = [naive.frontier, ...naive.records, naive.logEnd].filter(
        (offset) => offset >= naive.frontier,
      )
      const end = ends[step.pick % ends.length] as number
      naive.truncate(end)
      for (const offset of this.#acknowledgedAttempts.keys()) {
        if (offset >= end) this.#acknowledgedAttempts.delete(offset)
      }
      ledger.truncate(end)
      // The log of the last commit is gone with it; the runtime commits before it goes on.
      this.#commit(true)
    } else {
      const frontier = naive.records[step.pick % (naive.records.length + 1)] ?? naive.logEnd
      naive.restart(frontier, [], new Map())
      this.#acknowledgedAttempts.clear()
      ledger.reset(frontier)
      expect(ledger.isDirty).toBe(true)
      this.#commit(true)
    }
  }

  #read(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const offset = this.naive.upcoming
      if (offset === undefined) {
        this.naive.readToEnd()
        this.ledger.readTo(this.naive.logEnd)
        return
      }
      const isRun = this.naive.read(offset)
      expect(this.ledger.read(offset)).toBe(isRun)
    }
  }

  #withStarted(pick: number, act: (offset: number) => void): void {
    const started = [...this.naive.open].filter(
      (offset) => offset < this.naive.frontier + this.#window,
    )
    const offset = started[pick % started.length]
    if (offset !== undefined) act(offset)
  }

  #end(offset: number): void {
    this.naive.end(offset)
    this.ledger.end(offset)
    expect(this.ledger.isDirty).toBe(true)
  }

  #fail(offset: number): void {
    const attempts = (this.naive.attempts.get(offset) ?? 0) + 1
    this.naive.attempts.set(offset, attempts)
    expect(this.ledger.fail(offset)).toBe(attempts)
    expect(this.ledger.mayStart(offset)).toBe(false)
  }

  #commit(isAcknowledged: boolean): void {
    const state = this.ledger.state()
    const frontier = this.naive.frontier
    const records = new Set(this.naive.records)
    const ended = [...this.naive.ended].filter((offset) => offset >= frontier)
    expect(named(state).filter((offset) => records.has(offset))).toEqual(
      ended.sort((a, b) => a - b),
    )
    expect(state.endedAbove.at(-1)).not.toBe(0)
    expect(state.attempts.size).toBe(Math.min(failingMax, this.naive.attempts.size))
    const failing = this.#failing
    const failingNamed = failing.filter((offset) => state.attempts.has(offset))
    expect(failingNamed.length).toBe(Math.min(failingMax, failing.length))
    for (const [offset, attempts] of state.attempts)
      expect(this.naive.attempts.get(offset)).toBe(attempts)
    if (!isAcknowledged) return
    this.ledger.acknowledge(state)
    this.#committed = { offset: state.frontier, text: metadataOf(state) }
    expect(this.ledger.isDirty).toBe(false)
    for (const [offset, attempts] of state.attempts)
      this.#acknowledgedAttempts.set(offset, attempts)
  }

  #crash(): void {
    const { offset, text } = this.#committed
    const { state } = readMetadata(text, { offset, lineage })
    if (state === undefined) throw new Error(`${text} cannot be read`)
    const { frontier, endedAbove, attempts } = state
    const ended = named(state)
    this.naive.restart(frontier, ended, attempts)
    this.#acknowledgedAttempts.clear()
    for (const [offset, count] of attempts) this.#acknowledgedAttempts.set(offset, count)
    this.ledger = new Ledger({ frontier, window: this.#window, endedAbove, attempts })
    expect(this.ledger.isDirty).toBe(false)
    for (const offset of ended) expect(this.ledger.hasEnded(offset)).toBe(true)
  }

  compare(): void {
    const { ledger, naive } = this
    const frontier = naive.frontier
    same(ledger.frontier, frontier, 'the frontier')
    same(ledger.nextOffset, naive.next, 'the next offset')
    same(ledger.openCount, naive.open.size, 'how many are open')
    for (const offset of [...naive.records, ...naive.attempts.keys()]) {
      same(ledger.attempts(offset), naive.attempts.get(offset) ?? 0, `attempts at ${offset}`)
    }
    same(ledger.failingCount, this.#failing.length, 'how many fail')
    const isRecord = new Set(naive.records)
    for (const record of naive.records) {
      for (let offset = record - 1; offset <= record + 1; offset += 1) {
        const isOpen = naive.open.has(offset)
        const hasEnded = offset < naive.next ? !isOpen : naive.ended.has(offset)
        if (offset < naive.next || isRecord.has(offset)) {
          same(ledger.hasEnded(offset), hasEnded, `whether ${offset} has ended`)
        }
        same(ledger.isOpen(offset), isOpen, `whether ${offset} is open`)
        if (isOpen)
          same(ledger.mayStart(offset), this.#mayStart(offset), `whether ${offset} may start`)
      }
    }
  }

  get #failing(): number[] {
    return [...this.naive.attempts.keys()].filter((offset) => offset < this.naive.next)
  }

  #mayStart(offset: number): boolean {
    const attempts = this.naive.attempts.get(offset)
    if (attempts !== undefined && this.#acknowledgedAttempts.get(offset) !== attempts) return false
    if (attempts !== undefined) return offset < this.naive.frontier + this.#window
    return this.#failing.length < failingMax && offset < this.naive.frontier + this.#window
  }
}

describe('Ledger', () => {
  it('says what sets of offsets say, whatever happens', () => {
    fc.assert(
      fc.property(history, ({ start, window, steps }) => {
        const pair = new Pair(start, window)
        for (const step of steps) {
          pair.take(step)
          pair.compare()
        }
      }),
      { seed: 5, numRuns: 100 },
    )
  })

  it('moves its frontier over what ended out of order', () => {
    const ledger = ledgerAt(10)
    for (const offset of [10, 11, 12]) ledger.read(offset)
    ledger.end(12)
    ledger.end(11)
    expect([ledger.frontier, ledger.openCount]).toEqual([10, 1])
    ledger.end(10)
    expect([ledger.frontier, ledger.openCount]).toEqual([13, 0])
  })

  it('follows the source over a gap of any size when nothing is open', () => {
    const ledger = ledgerAt(10)
    const far = 10 + 2 ** 40
    expect(ledger.mayStart(far)).toBe(true)
    ledger.readTo(far)
    expect([ledger.frontier, ledger.isDirty]).toEqual([far, true])
    expect(ledger.read(far + 7)).toBe(true)
    expect([ledger.frontier, ledger.openCount]).toEqual([far + 7, 1])
  })

  it('passes a gap far wider than the window when the record before it ends', () => {
    const ledger = ledgerAt(0)
    const far = 2 ** 40
    for (const offset of [0, far, far + 1_000]) ledger.read(offset)
    expect([ledger.mayStart(far), ledger.hasEnded(far - 1), ledger.isOpen(far)]).toEqual([
      false,
      true,
      true,
    ])
    ledger.end(0)
    expect([ledger.frontier, ledger.mayStart(far), ledger.mayStart(far + 1_000)]).toEqual([
      far,
      true,
      false,
    ])
  })

  it('starts nothing above the window, before it is read and after', () => {
    const ledger = ledgerAt(100, 64)
    ledger.read(100)
    expect([ledger.mayStart(163), ledger.mayStart(164)]).toEqual([true, false])
    for (let offset = 101; offset < 200; offset += 1) ledger.read(offset)
    expect([ledger.mayStart(163), ledger.mayStart(164)]).toEqual([true, false])
    ledger.shrinkWindow(10)
    expect([ledger.mayStart(109), ledger.mayStart(110)]).toEqual([true, false])
    ledger.end(100)
    expect(ledger.mayStart(110)).toBe(true)
  })

  it('begins an attempt only when those before it are in an acknowledged commit', () => {
    const ledger = ledgerAt(0)
    ledger.read(0)
    ledger.fail(0)
    const first = ledger.state()
    expect(ledger.mayStart(0)).toBe(false)
    ledger.acknowledge(first)
    expect(ledger.mayStart(0)).toBe(true)
    ledger.fail(0)
    ledger.acknowledge(first)
    expect(ledger.mayStart(0)).toBe(false)
    ledger.acknowledge(ledger.state())
    expect(ledger.mayStart(0)).toBe(true)
    const restored = new Ledger({ window: 64, ...ledger.state() })
    expect([restored.attempts(0), restored.mayStart(0)]).toEqual([2, true])
  })

  it('starts no further record while as many fail as a commit has room for', () => {
    const ledger = ledgerAt(0, 1_000)
    for (let offset = 0; offset < 200; offset += 1) ledger.read(offset)
    for (let offset = 0; offset < failingMax; offset += 1) ledger.fail(offset + 10)
    expect(ledger.mayStart(100)).toBe(false)
    // It had started before.
    ledger.fail(90)
    ledger.acknowledge(ledger.state())
    expect([ledger.mayStart(10), ledger.mayStart(90)]).toEqual([true, false])
    ledger.end(10)
    expect(ledger.mayStart(100)).toBe(false)
    ledger.acknowledge(ledger.state())
    expect([ledger.mayStart(90), ledger.mayStart(100)]).toEqual([true, false])
    ledger.end(11)
    expect(ledger.mayStart(100)).toBe(true)
  })

  it('does not wait for failing records that the source has still to come to', () => {
    const attempts = new Map<number, number>()
    for (let offset = 500; offset < 500 + failingMax; offset += 1) attempts.set(offset, 2)
    const ledger = new Ledger({ frontier: 0, window: 1_000, attempts })
    for (let offset = 0; offset < failingMax; offset += 1) {
      expect(ledger.mayStart(offset)).toBe(true)
      ledger.read(offset)
      ledger.fail(offset)
    }
    // As many open ones fail now. They run again, so that the source can get to the others.
    expect(ledger.mayStart(100)).toBe(false)
    ledger.acknowledge(ledger.state())
    expect(ledger.mayStart(0)).toBe(true)
    for (let offset = 0; offset < failingMax; offset += 1) ledger.end(offset)
    for (let offset = failingMax; offset < 500; offset += 1) {
      expect(ledger.mayStart(offset)).toBe(true)
      ledger.read(offset)
    }
    ledger.read(500)
    expect([ledger.mayStart(500), ledger.attempts(500)]).toEqual([true, 2])
  })

  it('keeps failing records that a wider window let start out of a narrower one', () => {
    const ledger = new Ledger({ frontier: 0, window: 64, attempts: new Map([[100, 1]]) })
    for (let offset = 0; offset <= 100; offset += 1) ledger.read(offset)
    expect(ledger.mayStart(100)).toBe(false)
    for (let offset = 0; offset < 40; offset += 1) ledger.end(offset)
    expect(ledger.mayStart(100)).toBe(true)
  })

  it('forgets attempts at a record that is not there any more', () => {
    const ledger = new Ledger({
      frontier: 0,
      window: 64,
      attempts: new Map([
        [3, 2],
        [4, 1],
      ]),
    })
    expect([ledger.failingCount, ledger.state().attempts.size]).toEqual([0, 2])
    ledger.read(4)
    expect([ledger.failingCount, [...ledger.state().attempts]]).toEqual([1, [[4, 1]]])
  })

  it('does not take a commit from before a seek for one of what came after it', () => {
    const ledger = ledgerAt(0)
    ledger.read(0)
    ledger.fail(0)
    const before = ledger.state()
    ledger.reset(0)
    ledger.read(0)
    ledger.fail(0)
    ledger.acknowledge(before)
    expect([ledger.mayStart(0), ledger.isDirty]).toEqual([false, true])
  })

  it('names what its restored part names, also where the source has not come to it yet', () => {
    const restored = new Ledger({
      frontier: 50,
      window: 64,
      endedAbove: Uint8Array.of(0b1010_0110),
    })
    expect(named(restored.state())).toEqual([51, 52, 55, 57])
    expect([50, 51, 52, 53].map((offset) => restored.read(offset))).toEqual([
      true,
      false,
      false,
      true,
    ])
    restored.end(50)
    expect(restored.frontier).toBe(53)
    expect(named(restored.state())).toEqual([55, 57])
    restored.end(53)
    expect(restored.read(54)).toBe(true)
    restored.end(54)
    expect(restored.frontier).toBe(55)
    expect([restored.read(55), restored.frontier]).toEqual([false, 56])
  })

  it('refuses what cannot be', () => {
    const ledger = ledgerAt(10)
    expect(() => ledger.end(10)).toThrow('offset 10 cannot end: the frontier is 10')
    for (const offset of [10, 11, 13]) ledger.read(offset)
    expect(() => ledger.read(13)).toThrow('offset 13 cannot be read')
    expect(() => ledger.read(NaN)).toThrow('cannot be read')
    expect(() => ledger.read(2 ** 53)).toThrow('cannot be read')
    ledger.end(11)
    for (const offset of [9, 11, 12, 14]) {
      expect(() => ledger.end(offset)).toThrow('cannot end')
      expect(() => ledger.fail(offset)).toThrow('cannot fail')
    }
    ledger.read(10_000)
    expect(() => ledger.end(10_000)).toThrow('cannot end')
    expect(() => ledger.truncate(9)).toThrow('cannot be cut off')
    expect(() => ledgerAt(-1)).toThrow('an offset (-1) must be')
    expect(() => ledgerAt(0, 16_385)).toThrow(
      'a window (16385) must be a whole number from 1 to 16384',
    )
  })
})
