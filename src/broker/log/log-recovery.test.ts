import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import type { Disk, Platform } from '../../platform/index.ts'
import { crc32c } from '../../protocol/records/index.ts'
import { createSimulation } from '../../testing/simulation/index.ts'
import {
  appended,
  batchOf,
  changingConfig,
  readAll,
  readCommitted,
  recordsIn,
} from './log-fixture.ts'
import type { LogConfig } from './log-config.ts'
import { openLogFolder } from './log-folder.ts'
import type { Truncation } from './log-recovery.ts'
import type { PartitionLog } from './partition-log.ts'

const directory = '/data/logs/orders~id/0'
const identity = { topic: 'orders', topicId: 'id', partition: 0 }

function valueAt(offset: number): string {
  return `value ${String(offset).padStart(3, '0')}`
}

/** All batches that `writeSome` writes have the same size: five of them fill a segment. */
const batchBytes = batchOf([valueAt(0)]).length

/** A machine on which one process after another opens the same log. */
class Machine {
  readonly truncations: Truncation[] = []
  readonly #simulation = createSimulation({ seed: 1 })
  readonly #config: LogConfig
  #processes = 0

  constructor(config: Partial<LogConfig> = {}) {
    this.#config = changingConfig({ segmentBytes: 5 * batchBytes, ...config })
  }

  /** Opens the log, and ends without closing it unless `use` does. */
  log<Result>(use: (log: PartitionLog, platform: Platform) => Result | Promise<Result>) {
    return this.run(async (platform) => {
      const folder = await openLogFolder({
        platform,
        path: '/data',
        durability: 'sync',
        truncated: (truncation) => this.truncations.push(truncation),
      })
      const log = folder.open(identity, () => this.#config)
      await folder.recovered()
      return use(log, platform)
    })
  }

  disk<Result>(use: (disk: Disk) => Result): Promise<Result> {
    return this.run((platform) => Promise.resolve(use(platform.disk)))
  }

  run<Result>(program: (platform: Platform) => Promise<Result>): Promise<Result> {
    this.#processes += 1
    const name = `process ${this.#processes}`
    return this.#simulation.runProcess('broker', name, program, { withinMs: 60_000 })
  }
}

function content(disk: Disk, name: string): Buffer {
  const file = disk.open(`${directory}/${name}`, 'existing')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}

function put(disk: Disk, name: string, bytes: Buffer): void {
  const file = disk.open(`${directory}/${name}`, 'create')
  file.truncate(0)
  file.write([bytes], 0)
  file.close()
}

function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`
}

async function writeSome(log: PartitionLog, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const producer = { producerId: 3, producerEpoch: 0, baseSequence: log.logEndOffset }
    await appended(log.append(batchOf([valueAt(log.logEndOffset)], producer))).durable
  }
}

function values(log: PartitionLog): (string | null)[] {
  return recordsIn(readAll(log)).map(({ value }) => value)
}

function valuesUpTo(endOffset: number): string[] {
  return Array.from({ length: endOffset }, (_, offset) => valueAt(offset))
}

/** What everything that a log knows looks like, to compare two states of it. */
function knowledge(log: PartitionLog) {
  return {
    batches: readAll(log).map(({ bytes }) => bytes.toString('hex')),
    committed: readCommitted(log),
    producers: log.producers(),
    epochs: log.leaderEpochs,
    start: log.logStartOffset,
    stable: log.lastStableOffset,
    end: log.logEndOffset,
  }
}

/** Transactions of all kinds, over several segments and leader epochs. */
async function writeTransactions(log: PartitionLog): Promise<void> {
  for (let n = 0; n < 30; n++) {
    const producerId = n % 3
    const baseSequence = Math.floor(n / 3)
    const producer = { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
    log.append(batchOf([`${n}`], producer), { leaderEpoch: Math.floor(n / 10) })
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 1, transactionVersion: 0 }
    const leaderEpoch = Math.floor(n / 10)
    if (n % 4 === 3) log.appendMarker({ ...marker, commit: n % 8 === 3, leaderEpoch })
  }
  await appended(log.append(batchOf(['last']), { leaderEpoch: 5 })).durable
}

describe('bytes that a checkpoint vouches for', () => {
  it.each([
    ['a length that runs past the end of the file', 8, 0x7000],
    ['a length without room for a header', 8, 0],
    ['an offset that is not its own', 4, 4000],
    ['a last offset before its first', 23, -2],
  ])('are an error when they are damaged: %s', async (_, at, value) => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log(async (log) => {
      await writeSome(log, 6)
      await log.close()
    })
    await machine.disk((disk) => {
      const bytes = content(disk, segmentName(0))
      bytes.writeInt32BE(value, 3 * batchBytes + at)
      put(disk, segmentName(0), bytes)
    })
    await machine.log((log) => {
      expect(log).toMatchObject({ logEndOffset: 6, highWatermark: 6 })
      const options = { isolation: 'committed', bytesMax: 1, atLeastOneBatch: true } as const
      expect(log.read({ offset: 2, ...options })).toMatchObject({ nextOffset: 3 })
      expect(log.read({ offset: 3, ...options })).toMatchObject({
        error: 'CORRUPT_MESSAGE',
        message: expect.stringContaining(`${directory}/${segmentName(0)}`) as string,
      })
    })
    expect(machine.truncations).toEqual([])
  })

  it('are bytes to wait for no longer when they are damaged', async () => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log(async (log) => {
      await writeSome(log, 6)
      await log.close()
    })
    await machine.disk((disk) => {
      disk.remove(`${directory}/${segmentName(0).replace('log', 'index')}`)
      put(disk, segmentName(0), content(disk, segmentName(0)).fill(0, 8, 12))
    })
    await machine.log((log) => expect(log.bytesAvailable(2, 'committed', 500)).toBe(500))
  })
})

describe('recovery', () => {
  it('finds everything after an end without closing', async () => {
    const machine = new Machine()
    const before = await machine.log(async (log) => {
      await writeTransactions(log)
      return knowledge(log)
    })
    expect(await machine.log(knowledge)).toEqual(before)
    expect(machine.truncations).toEqual([])
  })

  it('finds everything after closing, without looking at the batches', async () => {
    const machine = new Machine()
    const before = await machine.log(async (log) => {
      await writeTransactions(log)
      const known = knowledge(log)
      await log.close()
      return known
    })
    expect(await machine.log(knowledge)).toEqual(before)
  })

  it.each(['is missing', 'is damaged'])('finds everything when the checkpoint %s', async (how) => {
    const machine = new Machine()
    const before = await machine.log(async (log) => {
      await writeTransactions(log)
      const known = knowledge(log)
      await log.close()
      return known
    })
    await machine.disk((disk) => {
      if (how === 'is missing') disk.remove(`${directory}/checkpoint`)
      else put(disk, 'checkpoint', content(disk, 'checkpoint').fill(1, 20, 30))
    })
    expect(await machine.log(knowledge)).toEqual(before)
    expect(machine.truncations).toEqual([])
  })

  it('refuses a checkpoint of a format that it does not know', async () => {
    const machine = new Machine()
    await machine.log(async (log) => {
      await writeSome(log, 1)
      await log.close()
    })
    const next = Buffer.from([0, 0, 0, 0, 0, 2])
    next.writeUInt32BE(crc32c(next.subarray(4)))
    await machine.disk((disk) => put(disk, 'checkpoint', next))
    const error: unknown = await machine.log(() => undefined).catch((cause: unknown) => cause)
    const { cause } = error as Error
    expect(isMillraceError(cause, 'MILLRACE_BROKER_DATA_INVALID')).toBe(true)
    expect((cause as Error).message).toContain('format 2')
  })

  it.each([1, 30, 70])('cuts a last batch of which %i bytes are missing', async (missing) => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log((log) => writeSome(log, 4))
    await machine.disk((disk) => {
      put(disk, segmentName(0), content(disk, segmentName(0)).subarray(0, -missing))
    })
    await machine.log((log) => {
      expect(values(log)).toEqual(valuesUpTo(3))
      expect(log).toMatchObject({ logEndOffset: 3, highWatermark: 3 })
      expect(log.producer(3)?.lastSequence).toBe(2)
    })
    expect(machine.truncations).toEqual([
      {
        path: `${directory}/${segmentName(0)}`,
        offset: 3,
        bytesDropped: batchBytes - missing,
        reason: expect.any(String) as string,
      },
    ])
  })

  it('cuts at the first batch with a wrong CRC, and drops the segments behind it', async () => {
    const machine = new Machine()
    await machine.log((log) => writeSome(log, 20))
    await machine.disk((disk) => {
      disk.remove(`${directory}/checkpoint`)
      const bytes = content(disk, segmentName(5))
      put(disk, segmentName(5), bytes.fill(1, batchBytes + 70, batchBytes + 71))
    })
    await machine.log(async (log) => {
      expect(values(log)).toEqual(valuesUpTo(6))
      await writeSome(log, 20)
      expect(values(log)).toEqual(valuesUpTo(26))
    })
    expect(machine.truncations).toMatchObject([
      { offset: 6, reason: expect.stringContaining('wrong CRC') as string },
    ])
    await machine.log((log) => expect(values(log)).toEqual(valuesUpTo(26)))
  })

  it('takes no segment whose predecessor lost its end: a retry must find its gap', async () => {
    const machine = new Machine()
    await machine.log((log) => writeSome(log, 13))
    await machine.disk((disk) => {
      disk.remove(`${directory}/checkpoint`)
      const bytes = content(disk, segmentName(5))
      put(disk, segmentName(5), bytes.subarray(0, 4 * batchBytes))
    })
    await machine.log(async (log) => {
      expect(values(log)).toEqual(valuesUpTo(9))
      await writeSome(log, 4)
      expect(values(log)).toEqual(valuesUpTo(13))
    })
    expect(machine.truncations).toMatchObject([
      { offset: 9, reason: expect.stringContaining('offset 9 is missing') as string },
    ])
  })

  it('takes no batch that is whole but has another offset', async () => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log((log) => writeSome(log, 3))
    await machine.disk((disk) => {
      const bytes = content(disk, segmentName(0))
      // What an earlier life left behind: the second batch once more, at the end.
      put(disk, segmentName(0), Buffer.concat([bytes, bytes.subarray(batchBytes, 2 * batchBytes)]))
    })
    await machine.log((log) => expect(values(log)).toEqual(valuesUpTo(3)))
    expect(machine.truncations).toMatchObject([{ offset: 3, bytesDropped: batchBytes }])
  })

  it('does not believe an index of batches that were lost', async () => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log(async (log) => {
      await writeSome(log, 10)
      await log.close()
    })
    // The power failed: the index got to the disk, the checkpoint and half of the batches did not.
    await machine.disk((disk) => {
      disk.remove(`${directory}/checkpoint`)
      put(disk, segmentName(0), content(disk, segmentName(0)).subarray(0, 5 * batchBytes))
    })
    const longer = (n: number) => batchOf([`something longer than that ${n}`])
    await machine.log(async (log) => {
      for (let n = 0; n < 10; n++) await appended(log.append(longer(n))).durable
    })
    await machine.log((log) => {
      const read = {
        offset: 12,
        isolation: 'committed',
        bytesMax: 1,
        atLeastOneBatch: true,
      } as const
      expect(log.read(read)).toMatchObject({ nextOffset: 13 })
      expect(recordsIn(readAll(log))).toHaveLength(15)
    })
  })

  it('tells when bytes are gone that were synced', async () => {
    const machine = new Machine({ segmentBytes: 10_000 })
    await machine.log(async (log) => {
      await writeSome(log, 4)
      await log.close()
    })
    await machine.disk((disk) => {
      put(disk, segmentName(0), content(disk, segmentName(0)).subarray(0, 2 * batchBytes))
    })
    await machine.log((log) => expect(values(log)).toEqual(valuesUpTo(2)))
    expect(machine.truncations).toMatchObject([
      { offset: 2, bytesDropped: 2 * batchBytes, reason: 'bytes that were synced are missing' },
    ])
  })

  it('goes on with new offsets when all segments are gone', async () => {
    const machine = new Machine()
    await machine.log(async (log) => {
      await writeSome(log, 20)
      await log.close()
    })
    await machine.disk((disk) => {
      for (const name of disk.list(directory)) {
        if (name.endsWith('.log')) disk.remove(`${directory}/${name}`)
      }
    })
    await machine.log((log) => {
      expect(log).toMatchObject({ logStartOffset: 20, logEndOffset: 20 })
    })
  })

  it.each(['are missing', 'are garbage', 'are of other segments'])(
    'reads the same when its indexes %s',
    async (how) => {
      const machine = new Machine({ segmentBytes: 100_000 })
      await machine.log(async (log) => {
        for (let n = 0; n < 100; n++) log.append(batchOf(['x'.repeat(3000)]))
        await log.close()
      })
      await machine.disk((disk) => {
        const names = disk.list(directory).filter((name) => name.endsWith('.index'))
        expect(names.length).toBeGreaterThan(2)
        const other = content(disk, names[1] as string)
        for (const name of names) {
          if (how === 'are missing') disk.remove(`${directory}/${name}`)
          else if (how === 'are garbage') put(disk, name, content(disk, name).fill(7, 30, 31))
          else put(disk, name, other)
        }
      })
      await machine.log((log) => {
        for (let offset = 0; offset < 100; offset++) {
          const options = { isolation: 'committed', bytesMax: 1, atLeastOneBatch: true } as const
          expect(log.read({ offset, ...options })).toMatchObject({ nextOffset: offset + 1 })
        }
      })
    },
  )

  it('removes what was not finished', async () => {
    const machine = new Machine()
    await machine.log((log) => writeSome(log, 3))
    await machine.disk((disk) => {
      put(disk, '00000000000000000000.cleaned', Buffer.alloc(10))
      put(disk, 'checkpoint.new', Buffer.alloc(10))
      put(disk, '00000000000000000077.index', Buffer.alloc(10))
    })
    await machine.log((log) => expect(values(log)).toEqual(valuesUpTo(3)))
    const names = await machine.disk((disk) => disk.list(directory))
    expect(names).toEqual([segmentName(0)])
  })

  it('takes a compacted segment, not those that it was made from', async () => {
    const machine = new Machine({ compacted: true })
    const before = await machine.log((log, { disk }) => writeAndKeepFiles(log, disk))
    const after = await machine.log(async (log, { clock }) => {
      await log.compact(clock.now(), 'always')
      const known = knowledge(log)
      await log.close()
      return known
    })
    await machine.disk((disk) => {
      for (const [name, bytes] of before) put(disk, name, bytes)
    })
    expect(await machine.log(knowledge)).toEqual(after)
    const names = await machine.disk((disk) => disk.list(directory))
    expect(names.filter((name) => before.has(name))).toEqual([])
  })
})

async function writeAndKeepFiles(log: PartitionLog, disk: Disk): Promise<Map<string, Buffer>> {
  await writeSome(log, 30)
  const names = disk.list(directory).filter((name) => name.endsWith('.log'))
  return new Map(names.slice(0, -1).map((name) => [name, content(disk, name)]))
}
