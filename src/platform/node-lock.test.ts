import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeDisk } from './node-disk.ts'

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-lock-'))
const program = fileURLToPath(new URL('fixture/hold-lock.ts', import.meta.url))

afterAll(() => fs.rmSync(directory, { recursive: true }))

/** Starts a process that wants the lock, and waits for its answer. */
async function startHolder(lockPath: string): Promise<{ child: ChildProcess; answer: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, lockPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, answer: answer.toString().trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('a lock on this machine', () => {
  it('is had once, and can be had again after its release', () => {
    const lockPath = path.join(directory, 'once')
    const lock = nodeDisk.lock(lockPath)
    expect(lock).toBeDefined()
    expect(nodeDisk.lock(lockPath)).toBeUndefined()
    expect(nodeDisk.lock(path.join(directory, 'another'))).toBeDefined()
    lock?.release()
    const next = nodeDisk.lock(lockPath)
    expect(next).toBeDefined()
    lock?.release()
    expect(nodeDisk.lock(lockPath)).toBeUndefined()
    next?.release()
  })

  it('is the same lock by every path to the file', () => {
    const link = path.join(directory, 'link')
    fs.symlinkSync(directory, link)
    const lock = nodeDisk.lock(path.join(directory, 'shared'))
    expect(nodeDisk.lock(path.join(link, 'shared'))).toBeUndefined()
    lock?.release()
  })

  it('ends with a process that is killed', { timeout: 30_000 }, async () => {
    const lockPath = path.join(directory, 'killed')
    const holder = await startHolder(lockPath)
    expect(holder.answer).toBe('held')
    expect(nodeDisk.lock(lockPath)).toBeUndefined()
    await kill(holder.child)
    const lock = nodeDisk.lock(lockPath)
    expect(lock).toBeDefined()
    lock?.release()
  })

  it('goes to one of several processes that start at once', { timeout: 60_000 }, async () => {
    const lockPath = path.join(directory, 'raced')
    const holders = await Promise.all([1, 2, 3].map(() => startHolder(lockPath)))
    const answers = holders.map(({ answer }) => answer).sort()
    for (const { child } of holders) await kill(child)
    expect(answers).toEqual(['held', 'refused', 'refused'])
  })

  it('says so when the place for it does not exist', () => {
    expect(() => nodeDisk.lock(path.join(directory, 'nowhere', 'lock'))).toThrow(
      /cannot lock .*nowhere.*: no such file or directory/,
    )
  })
})
