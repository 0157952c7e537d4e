import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Transactions } from './transactions.ts'

interface Known {
  readonly producerId: number
  readonly firstOffset: number
  readonly markerOffset: number | undefined
  readonly committed: boolean
}

/** Opens and ends transactions at growing offsets, as the steps say, and keeps a plain list of them. */
function run(steps: readonly { producerId: number; committed: boolean; gap: number }[]) {
  const transactions = new Transactions()
  const known: Known[] = []
  let offset = 0
  for (const { producerId, committed, gap } of steps) {
    offset += gap
    const at = known.findIndex(
      (one) => one.producerId === producerId && one.markerOffset === undefined,
    )
    const open = known[at]
    if (open === undefined) {
      transactions.open(producerId, offset)
      known.push({ producerId, firstOffset: offset, markerOffset: undefined, committed: false })
    } else {
      transactions.end(producerId, open.firstOffset, offset, committed)
      known[at] = { ...open, markerOffset: offset, committed }
    }
    offset += 1
  }
  return { transactions, known, endOffset: offset }
}

const steps = fc.array(
  fc.record({
    producerId: fc.integer({ min: 1, max: 4 }),
    committed: fc.boolean(),
    gap: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 40, size: 'max' },
)

describe('Transactions', () => {
  it('answers the aborted transactions of every stretch, by first offset', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const { transactions, known, endOffset } = run(taken)
        for (let from = 0; from <= endOffset; from++) {
          for (let to = from; to <= endOffset; to++) {
            const expected = known
              .filter(({ committed, markerOffset, firstOffset }) => {
                if (committed || markerOffset === undefined) return false
                return markerOffset >= from && firstOffset < to
              })
              .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
              .sort((one, other) => one.firstOffset - other.firstOffset)
            expect(transactions.abortedBetween(from, to)).toEqual(expected)
          }
        }
      }),
      { seed: 9, numRuns: 60 },
    )
  })

  it('is undecided from the first open one on, and from one whose marker is not durable', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 100 }), (taken, share) => {
        const { transactions, known, endOffset } = run(taken)
        const highWatermark = Math.floor((endOffset * share) / 100)
        transactions.moveHighWatermark(highWatermark)
        const undecided = known
          .filter(({ markerOffset }) => markerOffset === undefined || markerOffset >= highWatermark)
          .map(({ firstOffset }) => firstOffset)
        const expected = undecided.length === 0 ? undefined : Math.min(...undecided)
        expect(transactions.firstUndecidedOffset).toBe(expected)
      }),
      { seed: 10, numRuns: 200 },
    )
  })

  it('forgets what ended below the start of the log', () => {
    const { transactions } = run([
      { producerId: 1, committed: false, gap: 0 },
      { producerId: 1, committed: false, gap: 4 },
      { producerId: 2, committed: false, gap: 0 },
      { producerId: 2, committed: false, gap: 0 },
    ])
    transactions.trimStart(6)
    expect(transactions.aborted.map(({ producerId }) => producerId)).toEqual([2])
  })
})
