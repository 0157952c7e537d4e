import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../observe/index.ts'
import type { LogFields } from '../../observe/index.ts'
import { behindAll, changesOf, checkpointAt, modelAfter } from './fixture/state-model.ts'
import { stateStoreConformance } from './fixture/state-store-conformance.ts'
import type { StatesUnderTest } from './fixture/state-store-conformance.ts'
import { loadLmdb } from './lmdb/lmdb-package.ts'
import { lmdbStateStores } from './lmdb-state-stores.ts'
import type { StateStore, StateStores } from './state-store.ts'

/** The package is optional, and has no binary for every platform. */
const isMissing = (() => {
  try {
    loadLmdb()
    return false
  } catch {
    return true
  }
})()

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-states-'))
  readonly warnings: (LogFields | undefined)[] = []

  stores(): StateStores {
    return lmdbStateStores({
      path: this.path,
      log: (level, _message, fields) => {
        if (level === 'warn') this.warnings.push(fields)
      },
    })
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Leaves the state of some commits. */
  async fill(commits: number): Promise<void> {
    const stores = this.stores()
    const store = await stores.open('task')
    for (let commit = 1; commit <= commits; commit++) {
      await store.commit(changesOf(commit), checkpointAt(commit))
    }
    await stores.close()
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

async function inNewFolder(): Promise<StatesUnderTest> {
  const folder = new Folder()
  let stores = folder.stores()
  return Promise.resolve({
    stores,
    restart: async () => {
      await stores.close()
      stores = folder.stores()
      return stores
    },
    [Symbol.asyncDispose]: async () => {
      await stores.close()
      folder[Symbol.dispose]()
    },
  })
}

const isUnix = process.platform !== 'win32'
const program = fileURLToPath(new URL('fixture/commit-until-killed.ts', import.meta.url))

/** A process that commits until it is killed, and what it has said. */
class Committer {
  readonly lines: string[] = []
  readonly #child
  readonly exited: Promise<unknown[]>

  /** `fileBytesMax`: writing more of a file fails, as on a disk that is full. */
  constructor(path: string, fileBytesMax?: number) {
    const command = [process.execPath, '--import', 'tsx', program, path]
    const limited = `ulimit -f ${(fileBytesMax ?? 0) / 512}; exec "$@"`
    const [first = '', ...rest] =
      fileBytesMax === undefined ? command : ['/bin/sh', '-c', limited, 'sh', ...command]
    this.#child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
    createInterface(this.#child.stdout).on('line', (line) => this.lines.push(line))
    this.exited = once(this.#child, 'close')
  }

  async killAfter(lines: number): Promise<void> {
    await expect.poll(() => this.lines.length, { interval: 1 }).toBeGreaterThanOrEqual(lines)
    this.#child.kill('SIGKILL')
    await this.exited
  }
}

/** What is in the store is what was committed up to its checkpoint; answers to where that is. */
function expectWhole(store: StateStore): number {
  const { offset } = store.checkpoint ?? { offset: 0 }
  const model = modelAfter(offset)
  const listed = (entries: Iterable<{ key: string; value: Buffer }>) =>
    [...entries].map(({ key, value }) => `${key}=${value.toString('latin1')}`)
  expect(listed(store.range('', behindAll))).toEqual(listed(model.range('', behindAll)))
  expect(store.figures.entries).toBe(model.size)
  return offset
}

describe.skipIf(isMissing)(`LMDB${isMissing ? ' (cannot be loaded here)' : ''}`, () => {
  stateStoreConformance('LMDB', inNewFolder, { histories: 30 })

  describe('a folder', () => {
    it('is refused to a second holder, who is told of the first', async () => {
      using folder = new Folder()
      const [first, second] = [folder.stores(), folder.stores()]
      await first.open('task')
      await expect(second.open('other')).rejects.toMatchObject({
        code: 'MILLRACE_STORE_IN_USE',
        retriable: true,
        message: expect.stringContaining(`process ${process.pid}, since 20`) as string,
      })
      expect(() => second.has('task')).toThrow(/in use/)
      await first.close()
      await expect(second.open('other')).resolves.toBeDefined()
      await second.close()
    })

    it('is refused while another process has it, and free when that is killed', async () => {
      using folder = new Folder()
      const holder = new Committer(folder.path)
      await expect.poll(() => holder.lines.length).toBeGreaterThan(1)
      const stores = folder.stores()
      await expect(stores.open('task')).rejects.toMatchObject({ code: 'MILLRACE_STORE_IN_USE' })
      await holder.killAfter(2)
      expectWhole(await stores.open('task'))
      await stores.close()
    })

    it('is not touched, nor the package loaded, before a store is wanted', async () => {
      const path = join(tmpdir(), 'millrace-states-never-made')
      await lmdbStateStores({ path, log: silentLog }).close()
      expect(existsSync(path)).toBe(false)
    })
  })

  describe('kill -9', () => {
    it(
      'leaves entries and checkpoint of the same commit, of all tasks, again and again',
      { timeout: 120_000 },
      async () => {
        using folder = new Folder()
        let reached = [0, 0, 0]
        for (let life = 1; life <= 6; life++) {
          const committer = new Committer(folder.path)
          // In the middle of whatever it does when the line has come through.
          await committer.killAfter(2 + 7 * life)
          const said = committer.lines.at(-1)?.split(' ').map(Number) ?? []
          const stores = folder.stores()
          const names = ['task', 'beside-1', 'beside-2']
          const stands = []
          for (const name of names) stands.push(expectWhole(await stores.open(name)))
          expect(names.every((name) => stores.has(name))).toBe(true)
          await stores.close()
          stands.forEach((offset, index) => {
            expect(offset).toBeGreaterThanOrEqual(said[index] ?? 0)
            expect(offset).toBeGreaterThan(reached[index] ?? 0)
          })
          reached = stands
        }
        expect(folder.warnings).toEqual([])
      },
    )
  })

  describe('a process that ends itself while it commits', () => {
    it('ends, and leaves each store as it was or as it was to be', async () => {
      using folder = new Folder()
      const script = fileURLToPath(new URL('fixture/exit-while-committing.ts', import.meta.url))
      const child = spawn(process.execPath, ['--import', 'tsx', script, folder.path])
      onTestFinished(() => void child.kill('SIGKILL'))
      expect(await once(child, 'close')).toEqual([0, null])
      const stores = folder.stores()
      for (const [name, count] of [
        ['beside-1', 10],
        ['large', 5_000],
        ['beside-2', 10],
      ] as const) {
        const { checkpoint, figures } = await stores.open(name)
        expect(figures.entries).toBe(checkpoint === undefined ? 0 : count)
      }
      await stores.close()
    })
  })

  describe('a disk that is full', () => {
    it.runIf(isUnix)('fails the commit, and leaves the one before', async () => {
      using folder = new Folder()
      const committer = new Committer(folder.path, 700 * 1_024)
      await committer.exited
      const ending = committer.lines.slice(-4)
      const last = Number(ending[0]?.split(' ')[0])
      expect(last).toBeGreaterThan(0)
      expect(ending.slice(1)).toEqual([
        'failed MILLRACE_STORE_FAILED',
        'then MILLRACE_STORE_MISUSED',
        `again ${last} ${modelAfter(last).size}`,
      ])
      const stores = folder.stores()
      expect(expectWhole(await stores.open('task'))).toBe(last)
      await stores.close()
    })
  })

  describe('a file that cannot be used', () => {
    /** It is gone, it was said why, and the folder is as good as a new one. */
    async function expectCleared(folder: Folder, reason: RegExp): Promise<void> {
      const stores = folder.stores()
      expect(stores.has('task')).toBe(false)
      const store = await stores.open('task')
      expect(store.checkpoint).toBeUndefined()
      expect(expectWhole(store)).toBe(0)
      await store.commit(changesOf(1), checkpointAt(1))
      await stores.close()
      expect(folder.warnings).toEqual([
        { path: folder.path, reason: expect.stringMatching(reason) as string },
      ])
      const again = folder.stores()
      expect(expectWhole(await again.open('task'))).toBe(1)
      await again.close()
      expect(folder.warnings).toHaveLength(1)
    }

    it('is not LMDB’s', async () => {
      using folder = new Folder()
      await folder.fill(1)
      writeFileSync(folder.file('data.mdb'), Buffer.alloc(100_000, 'no database'))
      await expectCleared(folder, /does not begin as a file of LMDB/)
    })

    it.each([50, 4_096, 4_100])('has been cut off after %i bytes', async (bytes) => {
      using folder = new Folder()
      await folder.fill(2)
      truncateSync(folder.file('data.mdb'), bytes)
      await expectCleared(folder, /not begin as a file of LMDB|second page is not that of LMDB/)
    })

    it.each([
      ['that is newer', 'millrace 3, lmdb 0.9.90'],
      ['that is older', 'millrace 1, lmdb 0.9.90'],
      ['of another LMDB', 'millrace 2, lmdb 1.0.0'],
      ['that nobody knows', ''],
    ])('has a format %s', async (_, format) => {
      using folder = new Folder()
      await folder.fill(2)
      writeFileSync(folder.file('format'), format)
      await expectCleared(folder, /its format is '.*'; this program knows 'millrace 2, lmdb /)
    })

    it.each([0, 0xff])('has nothing but bytes of %i behind its beginning', async (byte) => {
      using folder = new Folder()
      await folder.fill(2)
      writeFileSync(
        folder.file('data.mdb'),
        readFileSync(folder.file('data.mdb')).fill(byte, 8_192),
      )
      await expectCleared(folder, /MDB_CORRUPTED|MDB_PAGE_NOTFOUND/)
    })

    it.runIf(isUnix)('ends the process that reads it, which happens a few times only', async () => {
      using folder = new Folder()
      await folder.fill(3)
      const { size } = statSync(folder.file('data.mdb'))
      truncateSync(folder.file('data.mdb'), 3 * 4_096)
      expect(size).toBeGreaterThan(20 * 4_096)
      let ended = 0
      for (;;) {
        const committer = new Committer(folder.path)
        await Promise.race([
          committer.exited,
          expect.poll(() => committer.lines.length).toBeGreaterThan(2),
        ])
        if (committer.lines.length > 2) {
          await committer.killAfter(2)
          break
        }
        ended++
        expect(ended).toBeLessThan(4)
      }
      expect(ended).toBeGreaterThan(0)
      const stores = folder.stores()
      expect(expectWhole(await stores.open('task'))).toBeGreaterThan(0)
      await stores.close()
    })

    it('is found damaged by a read, which fails, and the next process starts anew', async () => {
      using folder = new Folder()
      await folder.fill(20)
      const data = readFileSync(folder.file('data.mdb'))
      for (let at = 8_192; at < data.length; at += 4_096) {
        const page = data.subarray(at, at + 4_096)
        if (page.includes('entry-5')) page.fill(0)
      }
      writeFileSync(folder.file('data.mdb'), data)
      const stores = folder.stores()
      const store = await stores.open('task')
      expect(store.checkpoint).toEqual(checkpointAt(20))
      expect(() => store.get('entry-5')).toThrow(/cannot be read: MDB_CORRUPTED/)
      expect(() => store.get('entry-1')).toThrow(/has failed: it must be opened again/)
      await stores.close()
      await expectCleared(folder, /processes have opened it/)
    })
  })

  it('says what is wrong with its options and names', async () => {
    const wrong = { path: '', folder: '/x' }
    expect(() => lmdbStateStores({ path: '' })).toThrow("path ('') must be the path of a folder")
    expect(() => lmdbStateStores(wrong)).toThrow(/folder is not an option/)
    using folder = new Folder()
    const stores = folder.stores()
    await expect(stores.open('')).rejects.toThrow(/name of a state store \(''\) must be a text/)
    await stores.close()
  })
})

describe('the package lmdb', () => {
  const failing = (code: string, message: string) => () => {
    throw Object.assign(new Error(message), { code })
  }

  it('is asked for by name where it is not installed', () => {
    const load = failing('MODULE_NOT_FOUND', "Cannot find module 'lmdb'\nRequire stack:\n- x.js")
    expect(() => loadLmdb(load)).toThrow(/not installed: npm install lmdb$/)
  })

  it('is said to be unusable where something that it needs is missing', () => {
    const load = failing('MODULE_NOT_FOUND', "Cannot find module '@lmdb/lmdb-linux-x64'")
    expect(() => loadLmdb(load)).toThrow(/installed but cannot be loaded: .*lmdb-linux-x64/)
    const noBinary = failing('ERR_DLOPEN_FAILED', 'No native build was found')
    expect(() => loadLmdb(noBinary)).toThrow(/installed but cannot be loaded: .*No native build/)
  })
})
