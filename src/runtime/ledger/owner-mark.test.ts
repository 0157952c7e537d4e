import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedLife, SimulatedPartition } from './fixture/simulated-process.ts'
import type { LifeOptions, SimulatedRecord } from './fixture/simulated-process.ts'
import { OwnerMark } from './owner-mark.ts'
import type { Acquisition, Mark } from './owner-mark.ts'
import { SeededRandom } from '../../testing/simulation/seeded-random.ts'

const acquisition = { processId: 'p2', frontier: 100, logEnd: 5_000, window: 1_000 }

/** The mark of an owner that has the partition, as the next one finds it. */
function open(more: Partial<Mark> = {}): Mark {
  return { isOpen: true, processId: 'p1', deaths: 0, suspect: undefined, ...more }
}

/** Acquires the partition, and commits that. */
function acquire(found: Mark | undefined, more: Partial<Acquisition> = {}): OwnerMark {
  const mark = new OwnerMark({ ...acquisition, found, ...more })
  mark.acknowledge(mark.markAt(more.frontier ?? acquisition.frontier))
  return mark
}

/** Owners that die one after another without that the frontier moves; what the last of them leaves. */
function afterDeaths(count: number): Mark {
  let found: Mark | undefined
  for (let owner = 0; owner < count; owner += 1) {
    found = acquire(found, { processId: `dead-${owner}` }).markAt(100)
  }
  return found as Mark
}

/** A suspect partition whose owners died one after another while they ran the record. */
function diedRunning(offset: number, processIds: readonly string[]): Mark {
  let found = afterDeaths(3)
  for (const processId of processIds) {
    const owner = acquire(found, { processId })
    expect(owner.start(offset)).toBe(true)
    found = owner.markAt(100)
  }
  return found
}

describe('OwnerMark', () => {
  it('lets nothing run before the commit with its count is acknowledged', () => {
    const mark = new OwnerMark({ ...acquisition, found: open() })
    expect([mark.mode, mark.mayRun(100), mark.start(100), mark.isDirty]).toEqual([
      'claimed',
      false,
      false,
      true,
    ])
    expect(mark.markAt(100)).toEqual({
      isOpen: true,
      processId: 'p2',
      deaths: 1,
      suspect: undefined,
    })
    mark.acknowledge(mark.markAt(100))
    expect([mark.mode, mark.mayRun(100), mark.isDirty]).toEqual(['normal', true, false])
  })

  it('counts a death when it finds the mark open and records that wait', () => {
    expect(acquire(undefined).markAt(100).deaths).toBe(0)
    expect(acquire(open()).markAt(100).deaths).toBe(1)
    expect(acquire(open({ isOpen: false, deaths: 2 })).markAt(100).deaths).toBe(2)
    expect(acquire(open({ deaths: 1 }), { logEnd: 100 }).markAt(100).deaths).toBe(1)
    // It was lost and came back: nobody gave it up.
    expect(acquire(open(), { processId: 'p1' }).markAt(100).deaths).toBe(1)
  })

  it('forgets deaths when the frontier moves, by itself', () => {
    const mark = acquire(open({ deaths: 1 }))
    expect(mark.markAt(100).deaths).toBe(2)
    expect(mark.markAt(101)).toEqual(open({ processId: 'p2' }))
    expect(mark.isDirty).toBe(true)
  })

  it('becomes suspect at the third death in a row, for the records that could have been run', () => {
    const suspect = { end: 1_100, restarts: 1, started: undefined, accused: undefined }
    expect(acquire(afterDeaths(2)).mode).toBe('normal')
    const mark = acquire(afterDeaths(3))
    expect([mark.mode, mark.markAt(100).suspect]).toEqual(['suspect', suspect])
    const short = acquire(open({ deaths: 2 }), { logEnd: 130 })
    expect(short.markAt(100).suspect).toEqual({ ...suspect, end: 130 })
  })

  it('runs one record at a time while suspect, each after a commit that says so', () => {
    const mark = acquire(afterDeaths(3))
    expect([mark.mayRun(100), mark.start(1_100), mark.start(100), mark.start(101)]).toEqual([
      false,
      false,
      true,
      false,
    ])
    expect(mark.mayRun(100)).toBe(false)
    mark.acknowledge(mark.markAt(100))
    expect([mark.mayRun(100), mark.mayRun(101)]).toEqual([true, false])
    mark.settle(100)
    expect([mark.mayRun(100), mark.start(101)]).toEqual([false, true])
  })

  it('is alone until a commit says that the run has ended', () => {
    const mark = acquire(afterDeaths(3))
    expect(mark.isAlone).toBe(false)
    mark.start(100)
    expect(mark.isAlone).toBe(true)
    mark.acknowledge(mark.markAt(100))
    mark.settle(100)
    expect(mark.isAlone).toBe(true)
    mark.acknowledge(mark.markAt(101))
    expect(mark.isAlone).toBe(false)
  })

  it('does not take the commit of an earlier run of a record for that of the next', () => {
    const mark = acquire(afterDeaths(3))
    mark.start(100)
    const first = mark.markAt(100)
    mark.acknowledge(first)
    mark.settle(100)
    mark.start(100)
    mark.acknowledge(first)
    expect(mark.mayRun(100)).toBe(false)
    mark.acknowledge(mark.markAt(100))
    expect(mark.mayRun(100)).toBe(true)
  })

  it('resumes normal work when the frontier has passed what was suspect', () => {
    const mark = acquire(afterDeaths(3))
    const before = mark.markAt(1_000)
    mark.advance(1_099)
    expect(mark.mode).toBe('suspect')
    mark.advance(1_100)
    // Whoever finds the commit before would take the next death for one of the record that it tells of.
    mark.acknowledge(before)
    expect([mark.mode, mark.mayRun(5_000)]).toEqual(['suspect', false])
    mark.acknowledge(mark.markAt(1_100))
    expect([mark.mode, mark.mayRun(5_000), mark.markAt(1_100)]).toEqual([
      'normal',
      true,
      open({ processId: 'p2' }),
    ])
  })

  it('condemns a record that three processes in a row did not survive', () => {
    expect(acquire(diedRunning(150, ['a', 'b'])).condemned).toBeUndefined()
    const mark = acquire(diedRunning(150, ['a', 'b', 'c']))
    expect([mark.condemned, mark.start(150), mark.start(140)]).toEqual([150, false, true])
    mark.settle(140)
    mark.settle(150)
    expect(mark.condemned).toBeUndefined()
    expect([mark.start(150), mark.accused]).toEqual([true, undefined])
  })

  it('keeps a record condemned until it has ended, whoever owns the partition', () => {
    const condemned = acquire(diedRunning(150, ['a', 'b', 'c'])).markAt(100)
    const closed = { ...condemned, isOpen: false }
    expect(acquire(closed).condemned).toBe(150)
    const owner = acquire(diedRunning(150, ['a', 'b', 'c']), { processId: 'd' })
    owner.close()
    expect(acquire(owner.markAt(100)).condemned).toBe(150)
    expect(acquire(owner.markAt(100), { frontier: 151 }).condemned).toBeUndefined()
  })

  it('counts a process once, and a record that was survived anew', () => {
    expect(acquire(diedRunning(150, ['a', 'a', 'b', 'a'])).accused?.processIds).toEqual(['a', 'b'])
    const survived = acquire(diedRunning(150, ['a', 'b']))
    survived.start(150)
    survived.settle(150)
    expect(survived.accused).toBeUndefined()
    const another = acquire(diedRunning(150, ['a', 'b']))
    another.start(160)
    expect(acquire(another.markAt(100)).accused).toEqual({ offset: 160, processIds: ['p2'] })
    const idle = acquire(diedRunning(150, ['a', 'b'])).markAt(100)
    // It died of something else, or in another partition.
    expect(acquire(idle).accused?.processIds).toEqual(['a', 'b'])
  })

  it('counts no run that was given up with the partition', () => {
    const mark = acquire(diedRunning(150, ['a', 'b']))
    mark.start(150)
    mark.close()
    expect([mark.mode, mark.mayRun(150), mark.start(160)]).toEqual(['closed', false, false])
    const next = acquire(mark.markAt(100), { processId: 'p3' })
    expect(next.accused?.processIds).toEqual(['a', 'b'])
    expect([next.mode, next.pauseMs, next.start(150)]).toEqual(['suspect', 0, true])
  })

  it('waits longer after each restart, and anew after a run that ended', () => {
    const pauses: number[] = []
    let found = afterDeaths(3)
    for (let restart = 0; restart < 5; restart += 1) {
      const mark = acquire(found)
      pauses.push(mark.pauseMs)
      found = mark.markAt(100)
    }
    expect(pauses).toEqual([1_000, 10_000, 60_000, 60_000, 60_000])
    const mark = acquire(found)
    mark.start(100)
    mark.settle(100)
    expect(acquire(mark.markAt(100)).pauseMs).toBe(1_000)
    expect(acquire(afterDeaths(2)).pauseMs).toBe(0)
  })

  it('forgets all by a seek, and what it knows of records that the log lost', () => {
    const mark = acquire(diedRunning(150, ['a', 'b', 'c']))
    mark.truncate(151)
    expect([mark.condemned, mark.start(151), mark.start(149)]).toEqual([150, false, true])
    mark.truncate(149)
    expect([mark.condemned, mark.start(148)]).toEqual([undefined, true])
    mark.truncate(100)
    mark.acknowledge(mark.markAt(100))
    expect(mark.mode).toBe('normal')
    const sought = acquire(diedRunning(150, ['a', 'b', 'c']))
    sought.reset(10)
    sought.acknowledge(sought.markAt(10))
    expect([sought.mode, sought.markAt(10)]).toEqual(['normal', open({ processId: 'p2' })])
  })

  it('takes only process ids that have room', () => {
    expect(() => acquire(undefined, { processId: '' })).toThrow('must have 1 to 64 bytes')
    expect(() => acquire(undefined, { processId: 'é'.repeat(33) })).toThrow(
      'must have 1 to 64 bytes',
    )
  })
})

interface World {
  readonly partitions: readonly SimulatedPartition[]
  readonly random: () => number
  /** The longest that a handler takes. */
  readonly longestMs: number
}

function makeWorld(
  seed: number,
  counts: { partitions: number; killers: number; failing: number },
): World {
  const source = new SeededRandom(seed)
  const random = () => source.fraction()
  const longestMs = Math.round(5 * 4_000 ** random())
  const size = 5 + Math.floor(random() * 60)
  const partitions = Array.from({ length: counts.partitions }, () => {
    const killers = new Set(
      Array.from({ length: counts.killers }, () => Math.floor(random() * size)),
    )
    const records = Array.from({ length: size }, (_, index): SimulatedRecord => ({
      durationMs: Math.ceil(random() * longestMs),
      isKilling: killers.has(index),
      failures: random() * size < counts.failing ? Math.ceil(random() * 20) : 0,
    }))
    return new SimulatedPartition(records)
  })
  return { partitions, random, longestMs }
}

/** Processes live one after another until all records have ended; answers how many lives that took. */
function liveOn(world: World, outsideEnds: number): number {
  const { partitions, random, longestMs } = world
  const settings = {
    window: 1 + Math.floor(random() * 40),
    concurrency: 1 + Math.floor(random() * 20),
    commitMs: Math.ceil((random() * longestMs) / 4),
    commitEveryMs: longestMs,
    backoffMs: Math.ceil(random() * 5 * longestMs),
  }
  let endsBy: LifeOptions['endsBy'] = 'kill'
  let processId = 'process-0'
  for (let life = 0; life < 400; life += 1) {
    if (partitions.every(({ isFinished }) => isFinished)) return life
    // Who lost its partitions lives on and may get them again.
    if (endsBy !== 'loss') processId = `process-${life}`
    endsBy = random() < 0.7 ? 'kill' : random() < 0.5 ? 'loss' : 'close'
    const isUndisturbed = life >= outsideEnds
    // Between two kills: over ten times the longest handler, of which starting again takes up to one.
    const endsAtMs = isUndisturbed ? Infinity : longestMs * (9 + 10 * random())
    new SimulatedLife({ ...settings, partitions, processId, random, endsAtMs, endsBy }).live()
  }
  return Infinity
}

function expectOutcome({ partitions }: World): void {
  for (const { records, done, poisoned } of partitions) {
    const killers = records.flatMap((record, offset) => (record.isKilling ? [offset] : []))
    expect([...poisoned].sort((a, b) => a - b)).toEqual(killers)
    expect(done.size).toBe(records.length - killers.length)
  }
}

describe('a record that kills the process', () => {
  const anySeed = fc.nat()

  it('is found, in any number of partitions, and nothing else is', () => {
    const counts = fc.record({
      partitions: fc.integer({ min: 1, max: 4 }),
      killers: fc.integer({ min: 1, max: 3 }),
      failing: fc.nat({ max: 3 }),
    })
    fc.assert(
      fc.property(anySeed, counts, (seed, counts) => {
        const world = makeWorld(seed, counts)
        expect(liveOn(world, 0)).toBeLessThan(400)
        expectOutcome(world)
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  it('is not thought of when kills from outside come at over ten times the longest handler', () => {
    let suspects = 0
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 1, max: 3 }), (seed, partitions) => {
        const world = makeWorld(seed, { partitions, killers: 0, failing: 3 })
        expect(liveOn(world, 30)).toBeLessThan(400)
        expectOutcome(world)
        suspects += world.partitions.filter(({ wasSuspect }) => wasSuspect).length
      }),
      { seed: 5, numRuns: 120 },
    )
    // Else it proves little: only a suspect partition can condemn a record.
    expect(suspects).toBeGreaterThan(30)
  })

  it('is found among kills from outside, and nothing else is', () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 1, max: 3 }), (seed, partitions) => {
        const world = makeWorld(seed, { partitions, killers: 2, failing: 2 })
        expect(liveOn(world, 60)).toBeLessThan(400)
        expectOutcome(world)
      }),
      { seed: 5, numRuns: 60 },
    )
  })
})
