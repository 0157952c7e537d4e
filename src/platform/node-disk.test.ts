import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { isDiskError } from './disk-error.ts'
import { nodeDisk } from './node-disk.ts'

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-disk-'))
const at = (name: string): string => path.join(directory, name)

afterAll(() => fs.rmSync(directory, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
})

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it did not work, call '/somewhere'`), { code })
}

function reasonOf(operation: () => unknown): string {
  try {
    operation()
  } catch (error) {
    return isDiskError(error) ? error.reason : String(error)
  }
  return 'none'
}

describe('a file on this machine', () => {
  it('holds what any sequence of writes and truncations leaves, also through short writes', () => {
    const chunk = fc.uint8Array({ maxLength: 40 })
    const write = fc.record({
      chunks: fc.array(chunk, { maxLength: 4 }),
      position: fc.nat({ max: 100 }),
    })
    const step = fc.oneof(write, fc.record({ truncate: fc.nat({ max: 150 }) }))
    const real = fs.writevSync
    let shortest = 1
    vi.spyOn(fs, 'writevSync').mockImplementation((descriptor, chunks, position) => {
      const [first, ...rest] = chunks as Uint8Array[]
      shortest = (shortest % 7) + 1
      if (first === undefined || first.length <= shortest) {
        return real(descriptor, first === undefined ? rest : [first], position)
      }
      return real(descriptor, [first.subarray(0, shortest)], position)
    })
    let run = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const file = nodeDisk.open(at(`property-${(run += 1)}`), 'create')
        let model: Buffer = Buffer.alloc(0)
        for (const step of steps) {
          if ('truncate' in step) {
            file.truncate(step.truncate)
            model = resized(model, step.truncate)
          } else {
            file.write(step.chunks, step.position)
            const bytes = Buffer.concat(step.chunks)
            if (bytes.length === 0) continue
            model = resized(model, Math.max(model.length, step.position + bytes.length))
            bytes.copy(model, step.position)
          }
        }
        const found = Buffer.alloc(model.length + 10)
        expect(file.size()).toBe(model.length)
        expect(file.read(found, 0)).toBe(model.length)
        expect(found.subarray(0, model.length)).toEqual(model)
        file.close()
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('is made only when asked for', () => {
    expect(reasonOf(() => nodeDisk.open(at('absent'), 'existing'))).toBe('not-found')
    expect(nodeDisk.status(at('absent'))).toBeUndefined()
    nodeDisk.open(at('made'), 'create').close()
    nodeDisk.open(at('made'), 'existing').close()
    expect(nodeDisk.status(at('made'))).toEqual({ kind: 'file', size: 0 })
  })

  it('cannot be used once closed, and closes after the syncs that run', async () => {
    const file = nodeDisk.open(at('closing'), 'create')
    file.write([Buffer.from('kept')], 0)
    const close = vi.spyOn(fs, 'closeSync')
    const syncing = file.sync()
    file.close()
    expect(close).not.toHaveBeenCalled()
    await syncing
    expect(close).toHaveBeenCalledTimes(1)
    file.close()
    expect(close).toHaveBeenCalledTimes(1)
    expect(() => file.write([Buffer.from('more')], 0)).toThrow(
      `cannot write ${file.path}: the file is closed`,
    )
    await expect(file.sync()).rejects.toThrow('the file is closed')
  })

  it('fails every sync after one has failed', async () => {
    const file = nodeDisk.open(at('unsynced'), 'create')
    vi.spyOn(fs, 'fdatasync').mockImplementationOnce((_descriptor, done) => {
      done(systemError('EIO'))
    })
    await expect(file.sync()).rejects.toThrow('it did not work')
    await expect(file.sync()).rejects.toThrow('it did not work')
    file.close()
  })

  it('tells why it cannot, with the path and what the system said', () => {
    const expected = {
      ENOSPC: 'full',
      EDQUOT: 'full',
      EROFS: 'read-only',
      EACCES: 'denied',
      EPERM: 'denied',
      EEXIST: 'exists',
      EIO: 'failed',
    }
    for (const [code, reason] of Object.entries(expected)) {
      vi.spyOn(fs, 'openSync').mockImplementationOnce(() => {
        throw systemError(code)
      })
      expect(reasonOf(() => nodeDisk.open(at('any'), 'create'))).toBe(reason)
    }
    expect(() => nodeDisk.open(at('absent'), 'existing')).toThrow(
      `cannot open ${at('absent')}: no such file or directory`,
    )
  })

  // Only Linux has a device that is always full.
  it.runIf(process.platform === 'linux')('reports a full disk when it writes', () => {
    const file = nodeDisk.open('/dev/full', 'existing')
    expect(reasonOf(() => file.write([Buffer.from('one too many')], 0))).toBe('full')
    file.close()
  })
})

describe('directories on this machine', () => {
  it('are made with those above them, listed in order, renamed, synced and removed', async () => {
    const parent = at('tree')
    nodeDisk.makeDirectory(path.join(parent, 'b', 'c'))
    nodeDisk.makeDirectory(path.join(parent, 'b', 'c'))
    for (const name of ['a10', 'a9', 'B']) nodeDisk.open(path.join(parent, name), 'create').close()
    expect(nodeDisk.list(parent)).toEqual(['B', 'a10', 'a9', 'b'])
    nodeDisk.rename(path.join(parent, 'a10'), path.join(parent, 'a9'))
    await nodeDisk.syncDirectory(parent)
    expect(nodeDisk.list(parent)).toEqual(['B', 'a9', 'b'])
    expect(nodeDisk.status(path.join(parent, 'b'))?.kind).toBe('directory')
    expect(reasonOf(() => nodeDisk.remove(path.join(parent, 'b')))).toBe('exists')
    nodeDisk.remove(path.join(parent, 'b', 'c'))
    nodeDisk.remove(path.join(parent, 'b'))
    nodeDisk.remove(path.join(parent, 'B'))
    expect(nodeDisk.list(parent)).toEqual(['a9'])
    expect(reasonOf(() => nodeDisk.remove(path.join(parent, 'B')))).toBe('not-found')
    expect(reasonOf(() => nodeDisk.list(path.join(parent, 'B')))).toBe('not-found')
    await expect(nodeDisk.syncDirectory(path.join(parent, 'B'))).rejects.toThrow('no such file')
  })
})

function resized(bytes: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size)
  bytes.copy(result)
  return result
}
