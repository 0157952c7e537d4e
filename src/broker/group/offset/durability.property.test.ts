import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { GroupBench } from '../fixture/group-bench.ts'

const places = ['t:0', 't:1', 'u:0']
const producers = [7, 8]

interface Written {
  readonly value: number
  /** Its place in the order of records. */
  readonly order: number
}

/** What must be committed, after a number of changes in their order. */
class Expected {
  readonly committed = new Map<string, Written>()
  readonly pending = new Map<number, Map<string, Written>>()
  #order = 0

  commit(place: string, value: number): void {
    this.committed.set(place, { value, order: this.#next() })
  }

  commitInTransaction(producerId: number, place: string, value: number): void {
    const pending = this.pending.get(producerId) ?? new Map<string, Written>()
    pending.set(place, { value, order: this.#next() })
    this.pending.set(producerId, pending)
  }

  end(producerId: number, committed: boolean): void {
    for (const [place, written] of this.pending.get(producerId) ?? []) {
      const before = this.committed.get(place)
      const newer = before === undefined || before.order < written.order
      if (committed && newer) this.committed.set(place, written)
    }
    this.pending.delete(producerId)
  }

  remove(place: string): void {
    this.committed.delete(place)
    for (const pending of this.pending.values()) pending.delete(place)
  }

  #next(): number {
    this.#order += 1
    return this.#order
  }

  offset(place: string): number {
    return this.committed.get(place)?.value ?? -1
  }

  stableOffset(place: string): number | string {
    const isPending = [...this.pending.values()].some((pending) => pending.has(place))
    return isPending ? `error ${kafkaError.UNSTABLE_OFFSET_COMMIT}` : this.offset(place)
  }
}

type Change =
  | { kind: 'commit'; place: string; value: number }
  | { kind: 'transactional'; producerId: number; place: string; value: number }

const place = fc.constantFrom(...places)
const producerId = fc.constantFrom(...producers)
const value = fc.nat({ max: 1000 })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), place, value }),
  fc.record({ kind: fc.constant('transactional' as const), producerId, place, value }),
)

type Step =
  | Change
  | { kind: 'end'; producerId: number; committed: boolean }
  | { kind: 'remove'; place: string }
  | { kind: 'removeTopic' }
  | { kind: 'restart' | 'compact' }
  | { kind: 'crash'; changes: Change[]; answered: number; kept: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: change },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producerId,
      committed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), place }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'removeTopic' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      changes: fc.array(change, { maxLength: 5 }),
      answered: fc.nat({ max: 5 }),
      kept: fc.nat({ max: 5 }),
    }),
  },
)

function request(bench: GroupBench, next: Change): Promise<number | string> {
  return next.kind === 'commit'
    ? bench.commit({ [next.place]: next.value })
    : bench.commitInTransaction(next.producerId, { [next.place]: next.value })
}

function note(expected: Expected, next: Change): void {
  if (next.kind === 'commit') expected.commit(next.place, next.value)
  else expected.commitInTransaction(next.producerId, next.place, next.value)
}

async function perform(bench: GroupBench, expected: Expected, next: Step): Promise<void> {
  switch (next.kind) {
    case 'commit':
    case 'transactional':
      expect(await request(bench, next)).toBe(0)
      note(expected, next)
      return
    case 'end':
      await bench.endTransaction(next.producerId, next.committed)
      expected.end(next.producerId, next.committed)
      return
    case 'remove': {
      const [name = '', index = '0'] = next.place.split(':')
      const partitions = [{ partitionIndex: Number(index) }]
      await bench.coordinator.deleteOffsets({ groupId: 'g', topics: [{ name, partitions }] })
      expected.remove(next.place)
      return
    }
    case 'removeTopic':
      await bench.deleteTopic('t')
      for (const gone of places.filter((one) => one.startsWith('t:'))) expected.remove(gone)
      return
    case 'restart':
      bench.restart()
      return
    case 'compact':
      bench.restart(bench.log.compacted())
      return
    case 'crash':
      await crash(bench, expected, next)
  }
}

/** Some of the changes under way are answered, some more are in the log, the rest is lost. */
async function crash(
  bench: GroupBench,
  expected: Expected,
  { changes, answered, kept }: Step & { kind: 'crash' },
): Promise<void> {
  bench.log.hold()
  let answers = 0
  for (const next of changes)
    void request(bench, next).then((code) => (answers += code === 0 ? 1 : 0))
  await bench.settled()
  bench.log.release(Math.min(answered, changes.length))
  await bench.settled()
  expect(answers).toBe(Math.min(answered, changes.length))
  bench.restart(bench.log.crashed(kept))
  for (const next of changes.slice(0, answered + kept)) note(expected, next)
}

describe('any history of commits', () => {
  it('leaves what was acknowledged, in its order, over crashes and compaction', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
        async (steps) => {
          const bench = new GroupBench({ t: 2, u: 1 })
          const expected = new Expected()
          for (const next of steps) {
            await perform(bench, expected, next)
            for (const one of places) {
              expect(await bench.offset(one)).toBe(expected.offset(one))
              expect(await bench.offset(one, { stable: true })).toBe(expected.stableOffset(one))
            }
          }
        },
      ),
      { seed: 31, numRuns: 200 },
    )
  }, 60_000)
})
