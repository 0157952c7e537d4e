import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../refusal.ts'
import type { Delivery } from './delivery-runs.ts'
import {
  acknowledge,
  acknowledgeType,
  acquire,
  archiveAcquired,
  endOffset,
  hasRoom,
  newShareState,
  nextExpiryMs,
  nextOffset,
  releaseExpired,
  releaseMember,
  startAt,
} from './share-state.ts'
import type { Acknowledgement, AcquiredRange, BatchSpan, ShareState } from './share-state.ts'
import { restoredState, storedBatches } from './stored-state.ts'

/** What a share partition knows, offset by offset: slow, and too simple to be wrong. */
interface NaiveRecord {
  delivery: Delivery
  count: number
  memberId: string
  heldUntilMs: number
}

const deliveriesMax = 3

class NaivePartition {
  startOffset: number
  readonly records = new Map<number, NaiveRecord>()

  constructor(startOffset: number) {
    this.startOffset = startOffset
  }

  get end(): number {
    return Math.max(this.startOffset, ...[...this.records.keys()].map((offset) => offset + 1))
  }

  next(): number {
    for (let offset = this.startOffset; offset < this.end; offset++) {
      if (this.records.get(offset)?.delivery === 'available') return offset
    }
    return this.end
  }

  acquire(
    memberId: string,
    heldUntilMs: number,
    batches: readonly BatchSpan[],
    recordsMax: number,
  ): Map<number, number> {
    const taken = new Map<number, number>()
    const [first] = batches
    const last = batches.at(-1)
    if (first === undefined || last === undefined) return taken
    // What the log does not hold between the reader's place and the first batch is gone.
    const end = this.end
    for (let offset = this.next(); offset < first.first; offset++) {
      const record = this.records.get(offset)
      if (record === undefined) this.records.set(offset, done('archived'))
      else if (record.delivery === 'available') this.records.set(offset, done('archived'))
    }
    let stopAfter = Number.POSITIVE_INFINITY
    for (let offset = Math.max(first.first, this.startOffset); offset <= last.last; offset++) {
      if (offset > stopAfter) break
      const record = this.records.get(offset)
      const mayTake = record === undefined ? offset >= end : record.delivery === 'available'
      if (!mayTake) continue
      const count = (record?.count ?? 0) + 1
      this.records.set(offset, { delivery: 'acquired', count, memberId, heldUntilMs })
      taken.set(offset, count)
      if (taken.size === recordsMax) {
        stopAfter = batches.find((batch) => batch.last >= offset)?.last ?? offset
      }
    }
    this.advance()
    return taken
  }

  acknowledge(memberId: string, batches: readonly Acknowledgement[]): boolean {
    const types = new Map<number, number>()
    for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        if (offset < this.startOffset) continue
        const record = this.records.get(offset)
        if (record?.delivery !== 'acquired' || record.memberId !== memberId) return false
        types.set(offset, acknowledgeTypes[offset - firstOffset] ?? acknowledgeTypes[0] ?? -1)
      }
    }
    for (const [offset, type] of types) {
      const record = this.records.get(offset)
      if (record === undefined) continue
      if (type === acknowledgeType.accept) this.records.set(offset, done('acknowledged'))
      else if (type === acknowledgeType.release) this.giveBack(offset, record, record.count)
      else this.records.set(offset, done('archived'))
    }
    this.advance()
    return true
  }

  giveBack(offset: number, { count }: NaiveRecord, remembered: number): void {
    if (remembered === count && count >= deliveriesMax) this.records.set(offset, done('archived'))
    else {
      const free = { delivery: 'available', memberId: '', heldUntilMs: 0 } as const
      this.records.set(offset, { ...free, count: remembered })
    }
  }

  releaseMember(memberId: string): void {
    for (const [offset, record] of this.records) {
      if (record.delivery !== 'acquired' || record.memberId !== memberId) continue
      this.giveBack(offset, record, record.count - 1)
    }
    this.advance()
  }

  expire(nowMs: number): void {
    for (const [offset, record] of this.records) {
      if (record.delivery === 'acquired' && record.heldUntilMs <= nowMs) {
        this.giveBack(offset, record, record.count)
      }
    }
    this.advance()
  }

  startAt(offset: number): void {
    if (offset <= this.startOffset) return
    this.startOffset = offset
    this.advance()
  }

  restart(): void {
    for (const [offset, { delivery, count }] of this.records) {
      if (delivery !== 'acquired') continue
      const free = { delivery: 'available', memberId: '', heldUntilMs: 0 } as const
      this.records.set(offset, { ...free, count: count - 1 })
    }
    this.advance()
  }

  advance(): void {
    for (;;) {
      const record = this.records.get(this.startOffset)
      if (record?.delivery !== 'acknowledged' && record?.delivery !== 'archived') break
      this.records.delete(this.startOffset)
      this.startOffset += 1
    }
    for (const offset of this.records.keys()) {
      if (offset < this.startOffset) this.records.delete(offset)
    }
    for (let offset = this.end - 1; offset >= this.startOffset; offset--) {
      const record = this.records.get(offset)
      if (record?.delivery !== 'available' || record.count > 0) break
      this.records.delete(offset)
    }
  }
}

function done(delivery: 'acknowledged' | 'archived'): NaiveRecord {
  return { delivery, count: 0, memberId: '', heldUntilMs: 0 }
}

const member = fc.constantFrom('one', 'two', 'three')

type Step =
  | {
      kind: 'acquire'
      memberId: string
      sizes: number[]
      gap: number
      back: number
      recordsMax: number
      lockMs: number
    }
  | { kind: 'acknowledge'; memberId: string; pick: number; length: number; types: number[] }
  | { kind: 'release'; memberId: string }
  | { kind: 'time'; ms: number }
  | { kind: 'cut'; by: number }
  | { kind: 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('acquire' as const),
      memberId: member,
      sizes: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
      gap: fc.constantFrom(0, 0, 0, 2),
      back: fc.constantFrom(0, 0, 1, 3),
      recordsMax: fc.integer({ min: 1, max: 8 }),
      lockMs: fc.integer({ min: 1, max: 50 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge' as const),
      memberId: member,
      pick: fc.nat(20),
      length: fc.integer({ min: 1, max: 4 }),
      types: fc.array(fc.constantFrom(0, 1, 1, 2, 2, 3), { minLength: 1, maxLength: 4 }),
    }),
  },
  fc.record({ kind: fc.constant('release' as const), memberId: member }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('cut' as const), by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('restart' as const) }),
)

describe('the state of a share partition', () => {
  it('is what a model says that knows every offset for itself', () => {
    const run = (startOffset: number, steps: readonly Step[]) => {
      const world = new World(startOffset)
      for (const one of steps) {
        world.take(one)
        world.compare()
      }
    }
    fc.assert(fc.property(fc.nat(5), fc.array(step, { maxLength: 60 }), run), {
      seed: 932,
      numRuns: 400,
    })
  })
})

/** The state and its model side by side. */
class World {
  state: ShareState
  readonly naive: NaivePartition
  nowMs = 0

  constructor(startOffset: number) {
    this.state = newShareState(startOffset)
    this.naive = new NaivePartition(startOffset)
  }

  take(one: Step): void {
    switch (one.kind) {
      case 'acquire':
        this.acquire(one)
        return
      case 'acknowledge':
        this.acknowledge(one)
        return
      case 'release':
        this.state = releaseMember(this.state, one.memberId)
        this.naive.releaseMember(one.memberId)
        return
      case 'time':
        this.nowMs += one.ms
        this.state = releaseExpired(this.state, this.nowMs, deliveriesMax)
        this.naive.expire(this.nowMs)
        return
      case 'cut':
        this.state = startAt(this.state, this.state.startOffset + one.by)
        this.naive.startAt(this.naive.startOffset + one.by)
        return
      case 'restart': {
        const { startOffset } = this.state
        const stateBatches = storedBatches(this.state)
        const epochs = { snapshotEpoch: 0, stateEpoch: 0, leaderEpoch: 0 }
        const times = { createTimestamp: 0, writeTimestamp: 0 }
        this.state = restoredState({ startOffset, stateBatches, ...epochs, ...times })
        this.naive.restart()
      }
    }
  }

  acquire({ memberId, sizes, gap, back, recordsMax, lockMs }: Step & { kind: 'acquire' }): void {
    const fetchOffset = nextOffset(this.state)
    // The batch that holds the reader's place may begin before it.
    let first = gap > 0 ? fetchOffset + gap : Math.max(0, fetchOffset - back)
    const batches = sizes.map((size, index) => {
      const last = Math.max(first + size - 1, index === 0 ? fetchOffset : 0)
      const span = { first, last }
      first = last + 1
      return span
    })
    const heldUntilMs = this.nowMs + lockMs
    const request = { memberId, heldUntilMs, fetchOffset, batches, recordsMax, batchSize: 3 }
    const { state, acquired } = acquire(this.state, request)
    this.state = state
    const taken = this.naive.acquire(memberId, heldUntilMs, batches, recordsMax)
    expect(offsetsOf(acquired)).toEqual(taken)
  }

  acknowledge({ memberId, pick, length, types }: Step & { kind: 'acknowledge' }): void {
    const firstOffset = Math.max(0, this.state.startOffset - 2) + pick
    const lastOffset = firstOffset + length - 1
    const acknowledgeTypes = types.length === length ? types : types.slice(0, 1)
    const batches = [{ firstOffset, lastOffset, acknowledgeTypes }]
    const next = acknowledge(this.state, memberId, batches, deliveriesMax)
    const granted = this.naive.acknowledge(memberId, batches)
    expect(isRefusal(next)).toBe(!granted)
    if (!isRefusal(next)) this.state = next
  }

  compare(): void {
    const { state, naive } = this
    expect(state.startOffset).toBe(naive.startOffset)
    expect(endOffset(state)).toBe(naive.end)
    expect(nextOffset(state)).toBe(naive.next())
    const known = new Map<number, NaiveRecord>()
    let reached = state.startOffset
    for (const { first, last, delivery, count, memberId, heldUntilMs } of state.runs) {
      expect(first).toBe(reached)
      reached = last + 1
      for (let offset = first; offset <= last; offset++) {
        const isDone = delivery === 'acknowledged' || delivery === 'archived'
        known.set(offset, { delivery, count: isDone ? 0 : count, memberId, heldUntilMs })
      }
    }
    expect(known).toEqual(naive.records)
    const held = [...naive.records.values()].filter(({ delivery }) => delivery === 'acquired')
    const expected = held.length === 0 ? undefined : Math.min(...held.map((one) => one.heldUntilMs))
    expect(nextExpiryMs(state)).toBe(expected)
  }
}

function offsetsOf(acquired: readonly AcquiredRange[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { first, last, count } of acquired) {
    for (let offset = first; offset <= last; offset++) {
      expect(counts.has(offset)).toBe(false)
      counts.set(offset, count)
    }
  }
  return counts
}

describe('acquiring', () => {
  const request = { memberId: 'one', heldUntilMs: 100, fetchOffset: 0, batchSize: 10 }
  const batches = [0, 5, 10, 15].map((first) => ({ first, last: first + 4 }))

  it('takes the batch that holds the last record to its end', () => {
    const { acquired } = acquire(newShareState(0), { ...request, batches, recordsMax: 7 })
    expect(acquired).toEqual([{ first: 0, last: 9, count: 1 }])
  })

  it('tells new records in ranges that end where batches end', () => {
    const { acquired } = acquire(newShareState(0), {
      ...request,
      batches,
      recordsMax: 20,
      batchSize: 6,
    })
    expect(acquired).toEqual([
      { first: 0, last: 9, count: 1 },
      { first: 10, last: 19, count: 1 },
    ])
  })

  it('has no room for new records while too many are in flight, but for those given back', () => {
    const { state } = acquire(newShareState(0), { ...request, batches, recordsMax: 20 })
    expect(hasRoom(state, 20)).toBe(false)
    expect(hasRoom(state, 21)).toBe(true)
    const back = acknowledge(
      state,
      'one',
      [{ firstOffset: 3, lastOffset: 3, acknowledgeTypes: [acknowledgeType.release] }],
      5,
    )
    expect(!isRefusal(back) && hasRoom(back, 20)).toBe(true)
  })

  it('keeps records of aborted transactions from a member, and is done with them', () => {
    const taken = acquire(newShareState(0), { ...request, batches, recordsMax: 20 })
    const kept = archiveAcquired(taken.state, taken.acquired, [
      { first: 0, last: 4 },
      { first: 10, last: 14 },
    ])
    expect(kept.acquired).toEqual([
      { first: 5, last: 9, count: 1 },
      { first: 15, last: 19, count: 1 },
    ])
    expect(kept.state.startOffset).toBe(5)
  })

  it('is refused to acknowledge what was not handed out, and all that was said with it', () => {
    const { state } = acquire(newShareState(0), { ...request, batches, recordsMax: 20 })
    const accept = [acknowledgeType.accept]
    const errorOf = (memberId: string, firstOffset: number, lastOffset: number) => {
      const said = [
        { firstOffset: 0, lastOffset: 0, acknowledgeTypes: accept },
        { firstOffset, lastOffset, acknowledgeTypes: accept },
      ]
      const outcome = acknowledge(state, memberId, said, 5)
      return isRefusal(outcome) ? outcome.error : undefined
    }
    expect(errorOf('one', 1, 19)).toBeUndefined()
    expect(errorOf('two', 1, 19)).toBe('INVALID_RECORD_STATE')
    expect(errorOf('one', 1, 20)).toBe('INVALID_REQUEST')
  })
})
