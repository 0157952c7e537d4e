import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOf, memoryLog, onSimulatedMachine, startMs, changingConfig } from './log-fixture.ts'
import type { MemoryLog } from './log-fixture.ts'
import { openLogFolder } from './log-folder.ts'

/** Batches of one record a second; five make a segment. */
async function written(count: number, changes: Parameters<typeof memoryLog>[0] = {}) {
  const batch = (n: number) => batchOf([{ timestamp: startMs + n * 1000 }])
  const segmentBytes = batch(0).length * 5
  const made: MemoryLog = await memoryLog({ segmentBytes, timestampAfterMaxMs: 1e9, ...changes })
  for (let n = 0; n < count; n++) made.log.append(batch(n))
  return { ...made, batchBytes: batch(0).length }
}

describe('retention by time', () => {
  it('removes whole segments whose last record is too old', async () => {
    const { log } = await written(20, { retentionMs: 10_000 })
    // The records of the first segment are from second 0 to 4.
    expect(await log.applyRetention(startMs + 14_000)).toBe(0)
    expect(await log.applyRetention(startMs + 14_001)).toBe(1)
    expect(log).toMatchObject({ logStartOffset: 5, logEndOffset: 20 })
  })

  it('removes the active segment too, and goes on with the same offsets', async () => {
    const { log } = await written(18, { retentionMs: 10_000 })
    expect(await log.applyRetention(startMs + 100_000)).toBe(4)
    expect(log).toMatchObject({ logStartOffset: 18, logEndOffset: 18, sizeBytes: 0 })
    expect(await log.applyRetention(startMs + 200_000)).toBe(0)
    expect(log.append(batchOf(['x']))).toMatchObject({ baseOffset: 18 })
  })

  it('stops at the first segment that stays', async () => {
    const { log } = await written(0, { retentionMs: 10_000 })
    const times = [5, 90, 5, 5]
    for (const second of times) {
      for (let n = 0; n < 5; n++) log.append(batchOf([{ timestamp: startMs + second * 1000 }]))
    }
    expect(await log.applyRetention(startMs + 50_000)).toBe(1)
  })

  it('does not count when it is switched off, or the topic is only compacted', async () => {
    const { log, config } = await written(20, { retentionMs: -1 })
    expect(await log.applyRetention(startMs + 1e9)).toBe(0)
    Object.assign(config, { retentionMs: 0, compacted: true, deleted: false })
    expect(await log.applyRetention(startMs + 1e9)).toBe(0)
  })
})

describe('retention by size', () => {
  it('removes segments as long as enough is left without them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.nat({ max: 40 }), async (count, batches) => {
        const { log, config, batchBytes } = await written(count)
        config.retentionBytes = batches * batchBytes
        await log.applyRetention(startMs)
        const left = log.logEndOffset - log.logStartOffset
        expect(log.sizeBytes).toBe(left * batchBytes)
        // Whole segments went; one more would have been too much.
        const segment = Math.min(5, left)
        if (left < count) expect(left).toBeGreaterThanOrEqual(batches)
        if (left > 0) expect(left - segment).toBeLessThan(Math.max(1, batches))
      }),
      { seed: 51, numRuns: 100 },
    )
  })
})

describe('retention below the start of the log', () => {
  it('removes what DeleteRecords has left, whatever the policy', async () => {
    const { log, config } = await written(20)
    await log.deleteRecordsBefore(12)
    Object.assign(config, { compacted: true, deleted: false })
    expect(await log.applyRetention(startMs)).toBe(2)
    expect(log).toMatchObject({ logStartOffset: 12, logEndOffset: 20 })
  })
})

describe('retention and durability', () => {
  it('never takes what is not durable, and keeps offsets over a restart', () =>
    onSimulatedMachine(async (platform) => {
      const config = changingConfig({ retentionMs: 0, segmentBytes: 1000 })
      const identity = { topic: 'orders', topicId: 'id', partition: 0 }
      const options = { platform, path: '/data', durability: 'sync' } as const
      const folder = await openLogFolder(options)
      const log = folder.open(identity, () => config)
      const producer = (baseSequence: number) => ({ producerId: 1, producerEpoch: 0, baseSequence })
      for (let n = 0; n < 30; n++) log.append(batchOf(['x'], producer(n)))
      const later = platform.clock.now() + 1000
      expect(log.highWatermark).toBe(0)
      expect(await log.applyRetention(later)).toBe(0)
      const last = log.append(batchOf(['last']))
      if ('durable' in last) await last.durable
      expect(await log.applyRetention(later)).toBeGreaterThan(2)
      expect(log).toMatchObject({ logStartOffset: 31, logEndOffset: 31 })
      // The process dies: its lock is gone, nothing was closed.
      const lock = () => ({ release: () => undefined })
      const next = { ...platform, disk: { ...platform.disk, lock } }
      const truncated = () => expect.fail('nothing was cut off')
      const reopened = (await openLogFolder({ ...options, platform: next, truncated })).open(
        identity,
        () => config,
      )
      expect(reopened).toMatchObject({ logStartOffset: 31, logEndOffset: 31 })
      // The records are gone, but not what is known of who wrote them.
      expect(reopened.append(batchOf(['x'], producer(29)))).toMatchObject({ baseOffset: 29 })
    }))
})
