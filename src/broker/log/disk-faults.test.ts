import { describe, expect, it } from 'vitest'
import { isDiskError } from '../../platform/index.ts'
import type { Disk, DiskFile, Platform } from '../../platform/index.ts'
import type { SimulatedDisk } from '../../testing/simulation/index.ts'
import {
  appended,
  batchOf,
  changingConfig,
  errorOf,
  onSimulatedMachine,
  readAll,
  recordsIn,
} from './log-fixture.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { LogFailure, LogFolder } from './log-folder.ts'
import type { Truncation } from './log-recovery.ts'
import type { PartitionLog } from './partition-log.ts'

interface Opened {
  readonly folder: LogFolder
  readonly logs: readonly [PartitionLog, PartitionLog]
  readonly failures: LogFailure[]
  readonly truncations: Truncation[]
}

async function open(
  platform: Platform,
  durability: 'sync' | 'page-cache' = 'sync',
  changes: Partial<LogConfig> = {},
) {
  const failures: LogFailure[] = []
  const truncations: Truncation[] = []
  const folder = await openLogFolder({
    platform,
    path: '/data',
    durability,
    failed: (failure) => failures.push(failure),
    truncated: (truncation) => truncations.push(truncation),
  })
  const config = changingConfig({ segmentBytes: 2000, ...changes })
  const [one, two] = [0, 1].map((partition) =>
    folder.open({ topic: 'orders', topicId: 'id', partition }, () => config),
  ) as [PartitionLog, PartitionLog]
  await folder.recovered()
  return { folder, logs: [one, two], failures, truncations } satisfies Opened
}

function values(log: PartitionLog): (string | null)[] {
  return recordsIn(readAll(log)).map(({ value }) => value)
}

function onMachine(test: (platform: Platform, disk: SimulatedDisk) => Promise<void>) {
  return onSimulatedMachine((platform, simulation) =>
    test(platform, simulation.host('broker').disk),
  )
}

describe('a disk that is full', () => {
  it('refuses the append, and nothing of it can be seen', () =>
    onMachine(async (platform, disk) => {
      const { folder, logs } = await open(platform)
      const [log] = logs
      await appended(log.append(batchOf(['first']))).durable
      const used = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0)
      // A part of the next batch fits.
      disk.change({ capacityBytes: used + 100 })
      const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
      const big = batchOf(['x'.repeat(500)], producer)
      const refusal = log.append(Buffer.from(big))
      expect(refusal).toMatchObject({
        error: 'KAFKA_STORAGE_ERROR',
        message: expect.stringContaining('no space left') as string,
      })
      expect(log).toMatchObject({ logEndOffset: 1, highWatermark: 1 })
      expect(log.producers()).toEqual([])
      expect(values(log)).toEqual(['first'])
      // The space is given back, and the same batch is not a duplicate of its attempt.
      disk.change({ capacityBytes: Infinity })
      const again = appended(log.append(big))
      expect(again).toMatchObject({ baseOffset: 1 })
      await again.durable
      await folder.close()
      const reopened = await open(platform)
      expect(values(reopened.logs[0])).toEqual(['first', 'x'.repeat(500)])
    }))

  it('has no part of the batch behind the end of the log', () =>
    onMachine(async (platform, disk) => {
      const { folder, logs } = await open(platform)
      await appended(logs[0].append(batchOf(['first']))).durable
      const used = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0)
      disk.change({ capacityBytes: used + 100 })
      expect(errorOf(logs[0].append(batchOf(['x'.repeat(500)])))).toBe('KAFKA_STORAGE_ERROR')
      await folder.close()
      expect((await open(platform)).truncations).toEqual([])
    }))

  it('gets its space back by retention, and the log goes on where it was', () =>
    onMachine(async (platform, disk) => {
      const { folder, logs } = await open(platform, 'sync', { retentionMs: 0 })
      const [log] = logs
      for (let n = 0; n < 30; n++) await appended(log.append(batchOf(['x']))).durable
      disk.change({ capacityBytes: 1 })
      expect(await log.applyRetention(platform.clock.now() + 1000)).toBeGreaterThan(1)
      disk.change({ capacityBytes: Infinity, isReadOnly: true })
      await folder.close().catch(() => undefined)
      disk.change({ isReadOnly: false })
      const reopened = await open(platform)
      expect(reopened.logs[0]).toMatchObject({ logStartOffset: 30, logEndOffset: 30 })
    }))

  it('does not say that records are deleted when that could not be written down', () =>
    onMachine(async (platform, disk) => {
      const { logs } = await open(platform)
      const [log] = logs
      for (let n = 0; n < 5; n++) await appended(log.append(batchOf(['x']))).durable
      disk.change({ capacityBytes: 1 })
      expect(errorOf((await log.deleteRecordsBefore(3)) as object)).toBe('KAFKA_STORAGE_ERROR')
    }))
})

describe('a disk that became read-only', () => {
  it('refuses appends and answers reads', () =>
    onMachine(async (platform, disk) => {
      const { logs } = await open(platform)
      const [log] = logs
      await appended(log.append(batchOf(['first']))).durable
      disk.change({ isReadOnly: true })
      expect(errorOf(log.append(batchOf(['second'])))).toBe('KAFKA_STORAGE_ERROR')
      expect(values(log)).toEqual(['first'])
      disk.change({ isReadOnly: false })
      await appended(log.append(batchOf(['third']))).durable
      expect(values(log)).toEqual(['first', 'third'])
    }))
})

describe('a sync that fails', () => {
  it('ends all writing to its log, until the log is opened anew', () =>
    onMachine(async (platform, disk) => {
      const { folder, logs, failures } = await open(platform)
      const [log, other] = logs
      await appended(log.append(batchOf(['durable']))).durable
      disk.change({ syncFailureProbability: 1 })
      const [lost, late] = [batchOf(['lost']), batchOf(['late'])].map(
        (batch) => appended(log.append(batch)).durable,
      )
      await expect(lost).rejects.toSatisfy((error) => isDiskError(error))
      await expect(late).rejects.toSatisfy((error) => isDiskError(error))
      disk.change({ syncFailureProbability: 0 })
      expect(log.append(batchOf(['more']))).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
      expect(log.appendRecords([])).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
      expect(failures).toMatchObject([{ path: '/data/logs/orders~id/0' }])
      // What was durable can be read, what was not cannot; and others go on.
      expect(log.highWatermark).toBe(1)
      expect(values(log)).toEqual(['durable'])
      await appended(other.append(batchOf(['other']))).durable
      await folder.close()
      const reopened = await open(platform)
      expect(values(reopened.logs[0])[0]).toBe('durable')
      await appended(reopened.logs[0].append(batchOf(['again']))).durable
    }))

  it('counts also when it was only for a checkpoint', () =>
    onMachine(async (platform, disk) => {
      const { logs, failures } = await open(platform, 'page-cache')
      const [log] = logs
      expect(appended(log.append(batchOf(['x']))).durable).toBeUndefined()
      disk.change({ syncFailureProbability: 1 })
      expect(errorOf((await log.deleteRecordsBefore(1)) as object)).toBe('KAFKA_STORAGE_ERROR')
      expect(errorOf(log.append(batchOf(['x'])))).toBe('KAFKA_STORAGE_ERROR')
      expect(failures).toHaveLength(1)
    }))
})

/** Counts what is asked of a disk. */
class Counted {
  syncs = 0
  open = 0
  openMax = 0
  readonly platform: Platform

  constructor(platform: Platform) {
    const { disk } = platform
    this.platform = {
      ...platform,
      disk: { ...disk, open: (path, mode) => this.#count(disk.open(path, mode)) } satisfies Disk,
    }
  }

  #count(file: DiskFile): DiskFile {
    this.open += 1
    this.openMax = Math.max(this.openMax, this.open)
    return {
      path: file.path,
      size: () => file.size(),
      read: (target, position) => file.read(target, position),
      write: (chunks, position) => file.write(chunks, position),
      truncate: (size) => file.truncate(size),
      sync: () => {
        this.syncs += 1
        return file.sync()
      },
      close: () => {
        this.open -= 1
        file.close()
      },
    }
  }
}

describe('group commit', () => {
  it('serves all appends of a moment with one sync', () =>
    onMachine(async (platform) => {
      const counted = new Counted(platform)
      const { logs } = await open(counted.platform)
      const [log] = logs
      counted.syncs = 0
      const small = Array.from({ length: 10 }, (_, n) => appended(log.append(batchOf([`${n}`]))))
      expect(log.highWatermark).toBe(0)
      for (const { durable } of small) await durable
      expect(counted.syncs).toBe(1)
      expect(log.highWatermark).toBe(10)
    }))

  it('moves the high watermark to what was written before a sync began, no further', () =>
    onMachine(async (platform) => {
      const { logs } = await open(platform)
      const [log] = logs
      const first = appended(log.append(batchOf(['first'])))
      // The sync has begun when this continues.
      await new Promise<void>((resolve) => platform.clock.defer(resolve))
      const second = appended(log.append(batchOf(['second'])))
      await first.durable
      expect(log).toMatchObject({ highWatermark: 1, logEndOffset: 2 })
      await second.durable
      expect(log.highWatermark).toBe(2)
    }))

  it('answers a duplicate when its first attempt is durable', () =>
    onMachine(async (platform) => {
      const { logs } = await open(platform)
      const [log] = logs
      const batch = batchOf(['x'], { producerId: 1, producerEpoch: 0, baseSequence: 0 })
      const first = appended(log.append(Buffer.from(batch)))
      const again = appended(log.append(Buffer.from(batch)))
      expect(again.baseOffset).toBe(first.baseOffset)
      let isDurable = false
      void first.durable?.then(() => (isDurable = true))
      await again.durable
      expect(isDurable).toBe(true)
      expect(appended(log.append(batch)).durable).toBeUndefined()
    }))
})

describe('open files', () => {
  it('stay few, however many logs are written and read', () =>
    onMachine(async (platform) => {
      const counted = new Counted(platform)
      const options = { platform: counted.platform, path: '/data', filesMax: 8 }
      const folder = await openLogFolder({ ...options, durability: 'page-cache' })
      const config = changingConfig()
      const logs = Array.from({ length: 200 }, (_, partition) =>
        folder.open({ topic: 'orders', topicId: 'id', partition }, () => config),
      )
      for (const log of logs) appended(log.append(batchOf(['one'])))
      for (const log of logs.toReversed()) appended(log.append(batchOf(['two'])))
      for (const log of logs) expect(values(log)).toEqual(['one', 'two'])
      expect(counted.openMax).toBeLessThanOrEqual(8)
      await folder.close()
      expect(counted.open).toBe(0)
    }))

  it('stay open while they wait for a sync', () =>
    onMachine(async (platform) => {
      const counted = new Counted(platform)
      const options = { platform: counted.platform, path: '/data', filesMax: 8 }
      const folder = await openLogFolder({ ...options, durability: 'sync' })
      const config = changingConfig()
      const logs = Array.from({ length: 50 }, (_, partition) =>
        folder.open({ topic: 'orders', topicId: 'id', partition }, () => config),
      )
      const waiting = logs.map((log) => appended(log.append(batchOf(['one']))).durable)
      expect(counted.open).toBe(50)
      for (const durable of waiting) await durable
      for (const log of logs) expect(values(log)).toEqual(['one'])
      expect(counted.open).toBeLessThanOrEqual(8)
      await folder.close()
    }))
})
