import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Platform } from '../../platform/index.ts'
import { compressions } from '../../protocol/compression/index.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import {
  appended,
  batchOf,
  changingConfig,
  errorOf,
  memoryLog,
  onSimulatedMachine,
  readAll,
  readCommitted,
  recordsIn,
  startMs,
} from './log-fixture.ts'
import type { ReadRecord } from './log-fixture.ts'
import { isRefusal } from '../refusal.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { LogFolder } from './log-folder.ts'
import type { Isolation } from './log-types.ts'
import type { PartitionLog } from './partition-log.ts'

type Step =
  | {
      readonly kind: 'append'
      readonly producerId: number
      readonly transactional: boolean
      readonly timestamps: readonly number[]
      readonly compression: Compression
    }
  | { readonly kind: 'end'; readonly producerId: number; readonly commit: boolean }
  | { readonly kind: 'repeat'; readonly producerId: number }
  | { readonly kind: 'delete'; readonly share: number }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'restart' }

const producerId = fc.integer({ min: 0, max: 3 })
const codecs = compressions.filter((codec) => codec !== 'zstd')

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      producerId: fc.integer({ min: -1, max: 3 }),
      transactional: fc.boolean(),
      timestamps: fc.array(fc.integer({ min: -1, max: 50 }), { minLength: 1, maxLength: 4 }),
      compression: fc.constantFrom(...codecs),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('end' as const), producerId, commit: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), producerId }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'epoch' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)

interface KnownRecord extends ReadRecord {
  readonly timestamp: number
  readonly leaderEpoch: number
  readonly baseOffset: number
  readonly producerId: number
  transaction: 'none' | 'open' | 'committed' | 'aborted'
}

interface KnownProducer {
  sequence: number
  inTransaction: boolean
  last: { readonly batch: Buffer; readonly baseOffset: number } | undefined
}

/** What a log should be: a list of records, and what each producer has done. */
class Model {
  readonly records: KnownRecord[] = []
  readonly producers = new Map<number, KnownProducer>()
  endOffset = 0
  startOffset = 0
  leaderEpoch = 0

  producer(id: number): KnownProducer {
    const known = this.producers.get(id) ?? { sequence: 0, inTransaction: false, last: undefined }
    this.producers.set(id, known)
    return known
  }

  get lastStableOffset(): number {
    const open = this.records.find(({ transaction }) => transaction === 'open')
    return open?.baseOffset ?? this.endOffset
  }

  get visible(): KnownRecord[] {
    return this.records.filter(({ offset }) => offset >= this.startOffset)
  }
}

/** Takes a step in the log and in the model, and checks what the log answers to it. */
async function take(one: Step, log: PartitionLog, model: Model): Promise<void> {
  switch (one.kind) {
    case 'append':
      await append(one, log, model)
      break
    case 'end': {
      const { producerId: id, commit } = one
      const marker = { producerId: id, producerEpoch: 0, coordinatorEpoch: 0 }
      const { leaderEpoch } = model
      const result = appended(
        log.appendMarker({ ...marker, commit, transactionVersion: 0, leaderEpoch }),
      )
      expect(result.baseOffset).toBe(model.endOffset)
      model.producer(id).inTransaction = false
      for (const record of model.records) {
        if (record.producerId !== id || record.transaction !== 'open') continue
        record.transaction = commit ? 'committed' : 'aborted'
      }
      model.endOffset += 1
      await result.durable
      break
    }
    case 'repeat': {
      const { last } = model.producer(one.producerId)
      if (last === undefined) break
      const result = appended(log.append(Buffer.from(last.batch)))
      expect(result.baseOffset).toBe(last.baseOffset)
      break
    }
    case 'delete': {
      const { startOffset, endOffset } = model
      const offset = startOffset + Math.floor((endOffset - startOffset) * one.share)
      expect(await log.deleteRecordsBefore(offset)).toBe(offset)
      model.startOffset = offset
      break
    }
    case 'epoch':
      model.leaderEpoch += 1
      break
    case 'restart':
      break
  }
}

async function append(one: Step & { kind: 'append' }, log: PartitionLog, model: Model) {
  const { producerId: id, compression, timestamps } = one
  const { endOffset: baseOffset, leaderEpoch } = model
  const producer = model.producer(id)
  const isTransactional = id >= 0 && (one.transactional || producer.inTransaction)
  const inputs = timestamps.map((ahead, index) => ({
    key: Buffer.from(`key ${index}`),
    value: Buffer.from(`value ${baseOffset + index}`),
    timestamp: ahead < 0 ? -1 : startMs + ahead,
  }))
  const sequence = id < 0 ? {} : { producerEpoch: 0, baseSequence: producer.sequence }
  const batch = batchOf(inputs, { compression, producerId: id, isTransactional, ...sequence })
  const sent = Buffer.from(batch)
  const result = appended(log.append(batch, { leaderEpoch }))
  expect(result).toMatchObject({ baseOffset, lastOffset: baseOffset + inputs.length - 1 })
  producer.sequence += inputs.length
  producer.inTransaction = isTransactional
  if (id >= 0) producer.last = { batch: sent, baseOffset }
  for (const [index, { key, value, timestamp }] of inputs.entries()) {
    const offset = baseOffset + index
    const transaction = isTransactional ? 'open' : 'none'
    const text = { key: key.toString(), value: value.toString() }
    const known = { offset, ...text, timestamp, leaderEpoch, baseOffset, producerId: id }
    model.records.push({ ...known, transaction })
  }
  model.endOffset += inputs.length
  await result.durable
}

function check(log: PartitionLog, model: Model): void {
  const { startOffset, endOffset, lastStableOffset } = model
  expect(log).toMatchObject({
    logStartOffset: startOffset,
    logEndOffset: endOffset,
    highWatermark: endOffset,
    lastStableOffset: Math.min(lastStableOffset, endOffset),
  })
  const plain = ({ offset, key, value }: ReadRecord) => ({ offset, key, value })
  const all = recordsIn(readAll(log)).filter(({ offset }) => offset >= startOffset)
  expect(all).toEqual(model.visible.map(plain))
  const committed = model.visible.filter(
    ({ offset, transaction }) => offset < lastStableOffset && transaction !== 'aborted',
  )
  expect(readCommitted(log, 400)).toEqual(committed.map(plain))
  checkTimes(log, model)
  const batches = readAll(log)
  for (const { baseOffset, nextOffset } of batches) {
    const bytes = batches.reduce(
      (sum, batch) => (batch.nextOffset > baseOffset ? sum + batch.sizeInBytes : sum),
      0,
    )
    expect(log.bytesAvailable(baseOffset, 'uncommitted', 1_000_000)).toBe(bytes)
    expect(log.bytesAvailable(nextOffset - 1, 'uncommitted', 50)).toBe(50)
  }
  for (const { offset, leaderEpoch } of model.visible) {
    expect(log.epochAt(offset)).toBe(leaderEpoch)
  }
  for (const { producerId: id, lastSequence, transactionOpen } of log.producers()) {
    const { sequence, inTransaction } = model.producer(id)
    expect({ lastSequence, transactionOpen }).toEqual({
      lastSequence: sequence - 1,
      transactionOpen: inTransaction,
    })
  }
}

function offsetAt(log: PartitionLog, timestamp: number, isolation: Isolation): number | undefined {
  const found = log.offsetForTimestamp(timestamp, isolation)
  if (isRefusal(found)) throw new Error(found.message)
  return found?.offset
}

function checkTimes(log: PartitionLog, model: Model): void {
  for (const isolation of ['committed', 'uncommitted'] as const) {
    const end = isolation === 'committed' ? model.lastStableOffset : model.endOffset
    // Markers have timestamps as well: the log's clock stands at the start.
    const data = model.visible.filter(({ offset }) => offset < end)
    for (const ahead of [1, 10, 30, 51]) {
      const expected = data.find(({ timestamp }) => timestamp >= startMs + ahead)
      expect(offsetAt(log, startMs + ahead, isolation)).toBe(expected?.offset)
    }
    const greatest = data.reduce((most, { timestamp }) => Math.max(most, timestamp), startMs)
    if (greatest === startMs) continue
    expect(log.largestTimestamp(isolation)).toEqual({
      timestamp: greatest,
      offset: data.find(({ timestamp }) => timestamp === greatest)?.offset,
    })
  }
}

const small: Partial<LogConfig> = { segmentBytes: 700, segmentMs: 40 }
const identity = { topic: 'orders', topicId: 'id', partition: 0 }

describe('a log and a list of records', () => {
  it('are the same in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (taken) => {
        const { log } = await memoryLog(small)
        const model = new Model()
        for (const one of taken) await take(one, log, model)
        check(log, model)
      }),
      { seed: 31, numRuns: 150 },
    )
  })

  it.each(['sync', 'page-cache'] as const)('are the same on disk with %s', async (durability) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (taken) => {
        await onSimulatedMachine(async (platform) => {
          const still = { ...platform, clock: { ...platform.clock, now: () => startMs } }
          let folder = await openFolder(still, durability)
          let log = folder.open(identity, () => changingConfig(small))
          const model = new Model()
          for (const one of taken) {
            await take(one, log, model)
            if (one.kind !== 'restart') continue
            await folder.close()
            folder = await openFolder(still, durability)
            log = folder.open(identity, () => changingConfig(small))
            await folder.recovered()
            check(log, model)
          }
          check(log, model)
          await folder.close()
        })
      }),
      { seed: 32, numRuns: 60 },
    )
  })
})

function openFolder(platform: Platform, durability: 'sync' | 'page-cache'): Promise<LogFolder> {
  const truncated = () => expect.fail('nothing may be cut off after an orderly end')
  return openLogFolder({ platform, path: '/data', durability, truncated, filesMax: 3 })
}

describe('reading', () => {
  it('refuses offsets outside of the log, and finds nothing at its end', async () => {
    const { log } = await memoryLog()
    for (let n = 0; n < 5; n++) log.append(batchOf(['x']))
    await log.deleteRecordsBefore(2)
    const read = (offset: number) =>
      log.read({ offset, isolation: 'uncommitted', bytesMax: 1000, atLeastOneBatch: true })
    expect(errorOf(read(1))).toBe('OFFSET_OUT_OF_RANGE')
    expect(errorOf(read(6))).toBe('OFFSET_OUT_OF_RANGE')
    expect(read(5)).toEqual({ chunks: [], bytes: 0, nextOffset: 5, abortedTransactions: null })
    expect(read(2)).toMatchObject({ nextOffset: 5 })
  })

  it('answers the aborted transactions by first offset, whichever ended first', async () => {
    const { log } = await memoryLog()
    const write = (producerId: number, baseSequence: number) =>
      log.append(
        batchOf(['x'], { producerId, producerEpoch: 0, baseSequence, isTransactional: true }),
      )
    const abort = (producerId: number) =>
      log.appendMarker({
        producerId,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        commit: false,
        transactionVersion: 0,
      })
    write(1, 0)
    write(2, 0)
    abort(2)
    abort(1)
    const read = log.read({
      offset: 0,
      isolation: 'committed',
      bytesMax: 1000,
      atLeastOneBatch: true,
    })
    expect(read).toMatchObject({
      abortedTransactions: [
        { producerId: 1, firstOffset: 0 },
        { producerId: 2, firstOffset: 1 },
      ],
    })
  })

  it('hands out what is stored without copying it', async () => {
    const { log } = await memoryLog()
    const batch = batchOf(['x'.repeat(50_000)])
    log.append(batch)
    expect(readAll(log)[0]?.buffer.buffer).toBe(batch.buffer)
  })
})

describe('offsets by time', () => {
  it('are those of visible records, also within a batch', async () => {
    const { log } = await memoryLog()
    const times = [30, 10, 20, 5].map((ahead) => ({ timestamp: startMs + ahead }))
    log.append(batchOf(times, { compression: 'gzip' }))
    const find = (ahead: number) => offsetAt(log, startMs + ahead, 'uncommitted')
    expect([5, 15, 30, 31].map(find)).toEqual([0, 0, 0, undefined])
    expect(log.largestTimestamp('uncommitted')).toEqual({ offset: 0, timestamp: startMs + 30 })
    await log.deleteRecordsBefore(1)
    expect([5, 15, 30].map(find)).toEqual([1, 2, undefined])
    expect(log.largestTimestamp('uncommitted')).toEqual({ offset: 2, timestamp: startMs + 20 })
  })

  it('pass over records that cannot be read', async () => {
    const { log } = await memoryLog()
    const unreadable = RecordBatch.unchecked(batchOf(['x'.repeat(100)], { compression: 'gzip' }))
    unreadable.bytes.fill(0, 61, 70)
    unreadable.setProducer(-1, -1, -1)
    appended(log.append(unreadable.bytes))
    log.append(batchOf(['readable']))
    expect(offsetAt(log, startMs, 'committed')).toBe(1)
    expect(log.largestTimestamp('committed')).toMatchObject({ offset: 1 })
  })
})

describe('DeleteRecords', () => {
  it('goes up to the high watermark, and not back', async () => {
    const { log } = await memoryLog()
    for (let n = 0; n < 5; n++) log.append(batchOf(['x']))
    expect(await log.deleteRecordsBefore(-1)).toBe(5)
    expect(await log.deleteRecordsBefore(3)).toBe(5)
    expect(errorOf((await log.deleteRecordsBefore(6)) as object)).toBe('OFFSET_OUT_OF_RANGE')
    expect(errorOf((await log.deleteRecordsBefore(-2)) as object)).toBe('OFFSET_OUT_OF_RANGE')
  })

  it('is against the policy of a topic that is only compacted', async () => {
    const { log } = await memoryLog({ compacted: true, deleted: false })
    expect(errorOf((await log.deleteRecordsBefore(0)) as object)).toBe('POLICY_VIOLATION')
  })
})

describe('listeners', () => {
  it('are told once for all changes of a moment, and no more when they are gone', async () => {
    const { log } = await memoryLog()
    let told = 0
    const stop = log.onChange(() => (told += 1))
    for (let n = 0; n < 5; n++) log.append(batchOf(['x']))
    expect(told).toBe(0)
    await Promise.resolve()
    expect(told).toBe(1)
    stop()
    log.append(batchOf(['x']))
    await Promise.resolve()
    expect(told).toBe(1)
  })

  it('are told of the end of a transaction, of a new start, and of the end of the log', async () => {
    const { log } = await memoryLog()
    const seen: string[] = []
    log.onChange(() =>
      seen.push(log.closed ? 'closed' : `${log.logStartOffset} to ${log.lastStableOffset}`),
    )
    log.append(
      batchOf(['x'], { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
    )
    await Promise.resolve()
    log.appendMarker({
      producerId: 1,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      commit: true,
      transactionVersion: 0,
    })
    await Promise.resolve()
    await log.deleteRecordsBefore(1)
    await log.close()
    expect(seen).toEqual(['0 to 0', '0 to 2', '1 to 2', 'closed'])
  })
})

describe('a log that is not open any more', () => {
  it('refuses everything', async () => {
    const { log } = await memoryLog()
    log.append(batchOf(['x']))
    await log.close()
    const read = { offset: 0, isolation: 'committed', bytesMax: 1, atLeastOneBatch: true } as const
    expect(errorOf(log.append(batchOf(['x'])))).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(errorOf(log.read(read))).toBe('NOT_LEADER_OR_FOLLOWER')
    await log.delete()
    expect(errorOf(log.append(batchOf(['x'])))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(errorOf(log.read(read))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})
