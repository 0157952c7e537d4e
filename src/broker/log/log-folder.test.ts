import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { Disk, Platform } from '../../platform/index.ts'
import {
  appended,
  batchOf,
  changingConfig,
  onSimulatedMachine,
  readAll,
  recordsIn,
} from './log-fixture.ts'
import { openLogFolder } from './log-folder.ts'

const config = changingConfig()

function open(platform: Platform, path = '/data') {
  return openLogFolder({ platform, path, durability: 'sync' })
}

function put(disk: Disk, path: string, text: string): void {
  const file = disk.open(path, 'create')
  file.truncate(0)
  file.write([Buffer.from(text)], 0)
  file.close()
}

async function refusal(opening: Promise<unknown>, code: ErrorCode): Promise<string> {
  const error: unknown = await opening.catch((cause: unknown) => cause)
  expect(isMillraceError(error, code)).toBe(true)
  return (error as Error).message
}

describe('a data folder', () => {
  it('belongs to one process at a time', () =>
    onSimulatedMachine(async (platform) => {
      const folder = await open(platform)
      expect(await refusal(open(platform), 'MILLRACE_BROKER_DATA_IN_USE')).toContain('/data')
      await folder.close()
      await (await open(platform)).close()
    }))

  it('is refused when it holds something else', () =>
    onSimulatedMachine(async (platform) => {
      platform.disk.makeDirectory('/home')
      put(platform.disk, '/home/letters.txt', 'Dear')
      const message = await refusal(open(platform, '/home'), 'MILLRACE_BROKER_DATA_INVALID')
      expect(message).toContain('letters.txt')
      expect(platform.disk.list('/home')).toEqual(['letters.txt'])
    }))

  it.each(['{"format":"millrace-broker","version":2}', '{"format":"other"}', 'no JSON'])(
    'is refused when it is of another format: %s',
    (text) =>
      onSimulatedMachine(async (platform) => {
        await (await open(platform)).close()
        put(platform.disk, '/data/meta.json', text)
        const message = await refusal(open(platform), 'MILLRACE_BROKER_DATA_INVALID')
        expect(message).toContain('/data/meta.json')
      }),
  )

  it('is finished by the next start when the first one ended early', () =>
    onSimulatedMachine(async (platform) => {
      platform.disk.makeDirectory('/data/logs')
      put(platform.disk, '/data/meta.json.new', '{')
      await (await open(platform)).close()
      expect(platform.disk.list('/data')).toEqual(['lock', 'logs', 'meta.json'])
    }))
})

describe('the logs of a folder', () => {
  it('are apart by topic, topic id and partition', () =>
    onSimulatedMachine(async (platform) => {
      const identities = [
        { topic: 'orders', topicId: 'one', partition: 0 },
        { topic: 'orders', topicId: 'one', partition: 1 },
        { topic: 'orders', topicId: 'two', partition: 0 },
        { topic: 'x'.repeat(249), topicId: 'one', partition: 0 },
      ]
      for (const round of [1, 2]) {
        const folder = await open(platform)
        for (const [index, identity] of identities.entries()) {
          const log = folder.open(identity, () => config)
          await folder.recovered()
          expect(log.logEndOffset).toBe((index + 1) * (round - 1))
          for (let n = 0; n <= index; n++) {
            await appended(log.append(batchOf([`${index}`]))).durable
          }
          const values = recordsIn(readAll(log)).map(({ value }) => value)
          expect(new Set(values)).toEqual(new Set([`${index}`]))
        }
        await folder.close()
      }
    }))

  it('leave no file behind while they are empty', () =>
    onSimulatedMachine(async (platform) => {
      const folder = await open(platform)
      folder.open({ topic: 'orders', topicId: 'id', partition: 0 }, () => config)
      await folder.close()
      expect(platform.disk.list('/data/logs')).toEqual([])
    }))

  it('are gone with all their files when they are deleted', () =>
    onSimulatedMachine(async (platform) => {
      const folder = await open(platform)
      const logs = [0, 1].map((partition) =>
        folder.open({ topic: 'orders', topicId: 'id', partition }, () => config),
      )
      const waiting = logs.map((log) => appended(log.append(batchOf(['x']))).durable)
      await logs[0]?.delete()
      expect(platform.disk.list('/data/logs/orders~id')).toEqual(['1'])
      await logs[1]?.delete()
      expect(platform.disk.list('/data/logs')).toEqual([])
      for (const durable of waiting) await durable
      await folder.close()
    }))

  it('that nobody has opened are removed when they are asked to be', () =>
    onSimulatedMachine(async (platform) => {
      const first = await open(platform)
      for (const topic of ['kept', 'removed']) {
        for (const partition of [0, 1]) {
          const log = first.open({ topic, topicId: topic, partition }, () => config)
          await appended(log.append(batchOf(['x']))).durable
        }
      }
      await first.close()
      const second = await open(platform)
      second.open({ topic: 'kept', topicId: 'kept', partition: 1 }, () => config)
      put(platform.disk, '/data/logs/.DS_Store', 'of a file manager')
      second.removeOthers()
      expect(platform.disk.list('/data/logs')).toEqual(['.DS_Store', 'kept~kept'])
      expect(platform.disk.list('/data/logs/kept~kept')).toEqual(['1'])
      await second.close()
    }))

  it('show at once what a killed process wrote last, once it is durable', () =>
    onSimulatedMachine(async (platform) => {
      const first = await open(platform)
      const log = first.open({ topic: 'orders', topicId: 'id', partition: 0 }, () => config)
      await appended(log.append(batchOf(['x']))).durable
      // Its lock is gone with the process; its files are as they were.
      const copy = await openLogFolder({
        platform: {
          ...platform,
          disk: { ...platform.disk, lock: () => ({ release: () => undefined }) },
        },
        path: '/data',
        durability: 'sync',
      })
      const found = copy.open({ topic: 'orders', topicId: 'id', partition: 0 }, () => config)
      expect(found).toMatchObject({ logEndOffset: 1, highWatermark: 0 })
      await copy.recovered()
      expect(found.highWatermark).toBe(1)
    }))
})

describe('logs in memory', () => {
  it('touch no disk', async () => {
    const untouched = new Proxy({} as Disk, {
      get: () => expect.fail('the disk was touched'),
    })
    const clock = { now: () => 0, defer: (callback: () => void) => setImmediate(callback) }
    const platform = { clock, disk: untouched } as unknown as Platform
    const folder = await openLogFolder({ platform, path: undefined, durability: 'sync' })
    const log = folder.open({ topic: 'orders', topicId: 'id', partition: 0 }, () => config)
    expect(appended(log.append(batchOf([{ timestamp: 0 }]))).durable).toBeUndefined()
    folder.removeOthers()
    await folder.close()
  })
})
