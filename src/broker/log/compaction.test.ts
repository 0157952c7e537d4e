import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressions, prepareCompression } from '../../protocol/compression/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import {
  appended,
  batchOf,
  errorOf,
  memoryLog,
  readAll,
  readCommitted,
  recordsIn,
  startMs,
} from './log-fixture.ts'
import type { MemoryLog, ReadRecord } from './log-fixture.ts'
import type { PartitionLog } from './partition-log.ts'

const dayMs = 86_400_000

interface Written extends ReadRecord {
  readonly producerId: number
  transaction: 'none' | 'open' | 'committed' | 'aborted'
}

/** Writes to a log and keeps a list of what it has written. */
class Writer {
  readonly written: Written[] = []
  readonly log: PartitionLog
  readonly #sequences = new Map<number, number>()
  readonly #open = new Set<number>()
  readonly #clock: MemoryLog['clock']

  constructor({ log, clock }: MemoryLog) {
    this.log = log
    this.#clock = clock
  }

  write(
    pairs: Readonly<Record<string, string | null>>,
    producerId = -1,
    transactional = false,
    compression: 'none' | 'gzip' = 'none',
  ): number {
    const baseSequence = producerId < 0 ? -1 : (this.#sequences.get(producerId) ?? 0)
    const isTransactional = producerId >= 0 && (transactional || this.#open.has(producerId))
    const records = Object.entries(pairs).map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp: this.#clock.nowMs,
    }))
    const producerEpoch = producerId < 0 ? -1 : 0
    const options = { producerId, producerEpoch, baseSequence, isTransactional, compression }
    const { baseOffset } = appended(this.log.append(batchOf(records, options)))
    this.#sequences.set(producerId, Math.max(0, baseSequence) + records.length)
    if (isTransactional) this.#open.add(producerId)
    for (const [index, [key, value]] of Object.entries(pairs).entries()) {
      const transaction = isTransactional ? 'open' : 'none'
      this.written.push({ offset: baseOffset + index, key, value, producerId, transaction })
    }
    return baseOffset
  }

  end(producerId: number, commit: boolean): void {
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0 }
    appended(this.log.appendMarker({ ...marker, commit }))
    this.#open.delete(producerId)
    for (const record of this.written) {
      if (record.producerId !== producerId || record.transaction !== 'open') continue
      record.transaction = commit ? 'committed' : 'aborted'
    }
  }

  /** What a reader ends up with who keeps the last value of each key. */
  table(): Record<string, string> {
    return tableOf(this.written.filter(({ transaction }) => /none|committed/.test(transaction)))
  }
}

function tableOf(records: readonly ReadRecord[]): Record<string, string> {
  const table = new Map<string, string>()
  for (const { key, value } of records) {
    if (value === null) table.delete(key ?? '')
    else table.set(key ?? '', value)
  }
  return Object.fromEntries([...table].sort(([one], [other]) => (one < other ? -1 : 1)))
}

async function compactedLog(
  changes: Parameters<typeof memoryLog>[0] = {},
): Promise<MemoryLog & { writer: Writer }> {
  const made = await memoryLog({ compacted: true, deleted: false, segmentBytes: 600, ...changes })
  return { ...made, writer: new Writer(made) }
}

function plain({ offset, key, value }: ReadRecord): ReadRecord {
  return { offset, key, value }
}

describe('compaction', () => {
  it('keeps the last record of each key, at its offset', async () => {
    const { log, clock, writer } = await compactedLog()
    for (let n = 0; n < 40; n++) writer.write({ [`key ${n % 7}`]: `value ${n}` })
    const before = log.sizeBytes
    expect(await log.compact(clock.nowMs, 'always')).toBe(true)
    expect(recordsIn(readAll(log))).toEqual(writer.written.slice(-7).map(plain))
    expect(log.sizeBytes).toBeLessThan(before / 3)
    expect(log).toMatchObject({ logStartOffset: 0, logEndOffset: 40, highWatermark: 40 })
  })

  it('leaves the active segment alone unless it is told to', async () => {
    const { log, clock, writer } = await compactedLog({ segmentBytes: 1_000_000 })
    for (let n = 0; n < 10; n++) writer.write({ key: `value ${n}` })
    expect(await log.compact(clock.nowMs, 'when-worth-it')).toBe(false)
    expect(recordsIn(readAll(log))).toHaveLength(10)
    expect(await log.compact(clock.nowMs, 'always')).toBe(true)
    expect(recordsIn(readAll(log))).toHaveLength(1)
  })

  it('is worth it when enough is not compacted, or has waited for long enough', async () => {
    const { log, clock, config, writer } = await compactedLog({ maxCompactionLagMs: dayMs })
    for (let n = 0; n < 100; n++) writer.write({ [`key ${n}`]: 'value' })
    expect(await log.compact(clock.nowMs, 'when-worth-it')).toBe(true)
    for (let n = 0; n < 20; n++) writer.write({ [`key ${n}`]: 'other' })
    expect(await log.compact(clock.nowMs, 'when-worth-it')).toBe(false)
    config.minCleanableDirtyRatio = 0.1
    expect(await log.compact(clock.nowMs, 'when-worth-it')).toBe(true)
    config.minCleanableDirtyRatio = 0.9
    for (let n = 0; n < 20; n++) writer.write({ [`key ${n}`]: 'other' })
    clock.nowMs += dayMs + 1
    expect(await log.compact(clock.nowMs, 'when-worth-it')).toBe(true)
    expect(tableOf(recordsIn(readAll(log)))).toEqual(writer.table())
  })

  it('waits for min.compaction.lag.ms', async () => {
    const { log, clock, writer } = await compactedLog({ minCompactionLagMs: 1000 })
    for (let n = 0; n < 30; n++) writer.write({ key: `value ${n}` })
    expect(await log.compact(clock.nowMs + 999, 'always')).toBe(false)
    expect(await log.compact(clock.nowMs + 1000, 'always')).toBe(true)
  })

  it('never passes the first open transaction', async () => {
    const { log, clock, writer } = await compactedLog()
    for (let n = 0; n < 20; n++) writer.write({ key: `value ${n}` })
    const first = writer.write({ other: 'open' }, 1, true)
    for (let n = 0; n < 20; n++) writer.write({ key: `later ${n}` })
    await log.compact(clock.nowMs, 'always')
    const offsets = recordsIn(readAll(log)).map(({ offset }) => offset)
    expect(offsets.filter((offset) => offset >= first)).toHaveLength(21)
    expect(offsets.filter((offset) => offset < first).length).toBeLessThan(20)
    expect(log.lastStableOffset).toBe(first)
  })

  it('drops aborted records at once, and keeps those of the same key that they covered', async () => {
    const { log, clock, writer } = await compactedLog()
    writer.write({ a: 'kept', b: 'replaced' })
    writer.write({ a: 'aborted', b: 'aborted' }, 1, true)
    writer.end(1, false)
    writer.write({ b: 'last' }, 1, true)
    writer.end(1, true)
    await log.compact(clock.nowMs, 'always')
    expect(recordsIn(readAll(log)).map(({ value }) => value)).toEqual(['kept', 'last'])
    expect(tableOf(readCommitted(log))).toEqual({ a: 'kept', b: 'last' })
  })

  it('keeps what has no key out of a topic that became compacted', async () => {
    const { log, clock, config } = await compactedLog({ compacted: false })
    log.append(batchOf([{ key: null }, 'with key']))
    log.append(batchOf([{ key: null }]))
    config.compacted = true
    await log.compact(clock.nowMs, 'always')
    expect(recordsIn(readAll(log)).map(({ value }) => value)).toEqual(['with key'])
  })

  it('ends with the last batch of the stretch, so that readers get to the end', async () => {
    const { log, clock, writer } = await compactedLog()
    writer.write({ a: 'kept' })
    writer.write({ a: 'aborted' }, 1, true)
    writer.end(1, false)
    await log.compact(clock.nowMs, 'always')
    await log.compact(clock.nowMs + 10 * dayMs, 'always')
    expect(readAll(log).at(-1)?.nextOffset).toBe(log.highWatermark)
  })

  it('ends there also when the last record was a tombstone whose time is over', async () => {
    const { log, clock, writer } = await compactedLog({ deleteRetentionMs: dayMs })
    writer.write({ a: 'value' })
    writer.write({ a: null })
    for (const days of [0, 2, 4]) await log.compact(clock.nowMs + days * dayMs, 'always')
    expect(recordsIn(readAll(log))).toEqual([])
    expect(readAll(log)).toMatchObject([{ recordCount: 0, nextOffset: log.highWatermark }])
  })

  it('leaves a damaged batch as it is: written anew, it would look whole', async () => {
    const { log, clock, writer } = await compactedLog()
    writer.write({ a: 'first', b: 'first' })
    writer.write({ a: 'other', c: 'value' })
    writer.write({ a: 'third' })
    const [first, second] = readAll(log) as [RecordBatch, RecordBatch]
    second.bytes.fill('x', second.sizeInBytes - 4, second.sizeInBytes - 3)
    const damaged = Buffer.from(second.bytes)
    await log.compact(clock.nowMs, 'always')
    const [kept, found] = readAll(log) as [RecordBatch, RecordBatch]
    expect(kept.sizeInBytes).toBeLessThan(first.sizeInBytes)
    expect(found.bytes).toEqual(damaged)
  })

  it.each(compressions)('rewrites batches of codec %s', async (compression) => {
    await prepareCompression(compression)
    const { log, clock } = await compactedLog()
    for (let n = 0; n < 3; n++) {
      const keys = ['a', 'b', `c${n}`].map((key) => ({ key: Buffer.from(key) }))
      log.append(batchOf(keys, { compression }))
    }
    await log.compact(clock.nowMs, 'always')
    const batches = readAll(log)
    expect(recordsIn(batches).map(({ key }) => key)).toEqual(['c0', 'c1', 'a', 'b', 'c2'])
    for (const batch of batches) expect(batch.isCrcValid()).toBe(true)
  })
})

describe('tombstones', () => {
  it('stay until their horizon, which the first compaction sets', async () => {
    const { log, clock, writer } = await compactedLog({ deleteRetentionMs: dayMs })
    writer.write({ a: 'value', b: 'value' })
    writer.write({ a: null })
    writer.write({ c: 'value' })
    await log.compact(clock.nowMs, 'always')
    const [, tombstone] = readAll(log) as [RecordBatch, RecordBatch]
    expect(tombstone).toMatchObject({ baseOffset: 2, deleteHorizonMs: startMs + dayMs })
    const [record] = [...tombstone.records(1000)]
    expect(record).toMatchObject({ timestamp: startMs, offset: 2 })
    await log.compact(startMs + dayMs - 1, 'always')
    expect(recordsIn(readAll(log)).map(({ key }) => key)).toEqual(['b', 'a', 'c'])
    await log.compact(startMs + dayMs, 'always')
    expect(recordsIn(readAll(log)).map(({ key }) => key)).toEqual(['b', 'c'])
  })

  it('are found by their timestamps also with a horizon', async () => {
    const { log, clock, writer } = await compactedLog()
    writer.write({ a: 'value' })
    clock.nowMs += 5000
    writer.write({ a: null })
    await log.compact(clock.nowMs, 'always')
    expect(log.offsetForTimestamp(startMs + 1, 'uncommitted')).toEqual({
      timestamp: startMs + 5000,
      offset: 1,
    })
  })
})

describe('markers', () => {
  it('outlive the records of their transaction, and go after their horizon', async () => {
    const { log, clock, writer } = await compactedLog({ deleteRetentionMs: dayMs })
    writer.write({ a: 'committed' }, 1, true)
    writer.end(1, true)
    writer.write({ filler: 'x' })
    const markers = () => readAll(log).filter((batch) => batch.isControl)
    await log.compact(clock.nowMs, 'always')
    await log.compact(clock.nowMs + 5 * dayMs, 'always')
    expect(markers()).toHaveLength(1)
    // The record goes, and with it the last of the producer's batches when that has expired.
    writer.write({ a: 'replaced' })
    log.expireProducers(clock.nowMs + 30 * dayMs)
    await log.compact(clock.nowMs + 30 * dayMs, 'always')
    expect(markers()).toHaveLength(1)
    await log.compact(clock.nowMs + 30 * dayMs, 'always')
    expect(markers()[0]?.deleteHorizonMs).toBe(startMs + 31 * dayMs)
    await log.compact(clock.nowMs + 31 * dayMs, 'always')
    expect(markers()).toHaveLength(0)
  })

  it('of an abort may go without the producer seeming to abort what it wrote later', async () => {
    const { log, clock, writer } = await compactedLog({ deleteRetentionMs: dayMs })
    writer.write({ a: 'aborted' }, 1, true)
    writer.end(1, false)
    writer.write({ b: 'committed' }, 1, true)
    writer.end(1, true)
    writer.write({ filler: 'x' })
    for (let days = 0; days < 8; days += 2) {
      await log.compact(clock.nowMs + days * dayMs, 'always')
      expect(tableOf(readCommitted(log))).toEqual({ b: 'committed', filler: 'x' })
    }
    expect(readAll(log).filter((batch) => batch.isControl)).toHaveLength(1)
    const read = log.read({
      offset: 0,
      isolation: 'committed',
      bytesMax: 10_000,
      atLeastOneBatch: true,
    })
    expect(read).toMatchObject({ abortedTransactions: [] })
  })
})

describe('producers', () => {
  it('are remembered by their last batch, if need be an empty one', async () => {
    const { log, clock, writer } = await compactedLog()
    writer.write({ a: 'first' }, 1)
    writer.write({ a: 'second', b: 'second' }, 1)
    writer.write({ a: 'other', b: 'other' })
    await log.compact(clock.nowMs, 'always')
    const kept = readAll(log).filter((batch) => batch.producerId === 1)
    expect(kept).toHaveLength(1)
    expect(kept[0]).toMatchObject({ baseSequence: 1, lastSequence: 2, recordCount: 0 })
    const again = { producerId: 1, producerEpoch: 0, baseSequence: 1 }
    expect(appended(log.append(batchOf(['x', 'y'], again))).baseOffset).toBe(1)
    expect(errorOf(log.append(batchOf(['x'], { ...again, baseSequence: 5 })))).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
  })
})

type Step =
  | {
      readonly kind: 'write'
      readonly keys: readonly number[]
      readonly producerId: number
      readonly isTombstone: boolean
      readonly transactional: boolean
      readonly compressed: boolean
    }
  | { readonly kind: 'end'; readonly producerId: number; readonly commit: boolean }
  | { readonly kind: 'compact'; readonly days: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      keys: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }),
      producerId: fc.integer({ min: -1, max: 3 }),
      isTombstone: fc.boolean(),
      transactional: fc.boolean(),
      compressed: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producerId: fc.integer({ min: 0, max: 3 }),
      commit: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      days: fc.integer({ min: 0, max: 3 }),
    }),
  },
)

describe('compaction of any log', () => {
  it('leaves a reader of committed records the same table', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const { log, clock, writer } = await compactedLog({ deleteRetentionMs: dayMs })
        for (const one of steps) {
          if (one.kind === 'compact') {
            clock.nowMs += one.days * dayMs
            await log.compact(clock.nowMs, 'always')
            checkReaders(writer)
          } else if (one.kind === 'end') {
            writer.end(one.producerId, one.commit)
          } else {
            const value = (key: number) => (one.isTombstone ? null : `${key} ${log.logEndOffset}`)
            const pairs = Object.fromEntries(one.keys.map((key) => [`key ${key}`, value(key)]))
            const codec = one.compressed ? 'gzip' : 'none'
            writer.write(pairs, one.producerId, one.transactional, codec)
          }
        }
        for (const producerId of [0, 1, 2, 3]) writer.end(producerId, false)
        await log.compact(clock.nowMs, 'always')
        checkReaders(writer)
      }),
      { seed: 41, numRuns: 150 },
    )
  })
})

/** Whatever a reader's fetches look like, it gets the same, and only what was written. */
function checkReaders({ log, written }: Writer): void {
  const decided = written.filter(({ offset }) => offset < log.lastStableOffset)
  const expected = tableOf(decided.filter(({ transaction }) => /none|committed/.test(transaction)))
  const values = new Map(written.map((record) => [record.offset, record]))
  for (const bytesMax of [1, 300, 100_000]) {
    const records = readCommitted(log, bytesMax)
    expect(tableOf(records)).toEqual(expected)
    for (const record of records) {
      const known = values.get(record.offset)
      expect(known?.transaction).toMatch(/none|committed/)
      expect(record).toEqual(plain(known as Written))
    }
  }
  expect(readAll(log).at(-1)?.nextOffset ?? 0).toBe(log.highWatermark)
}
