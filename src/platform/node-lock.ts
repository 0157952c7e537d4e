import fs from 'node:fs'
import net from 'node:net'
import { systemErrorCode } from './builtin.ts'
import type { DiskLock } from './platform.ts'

/**
 * Node has no call for file locks, so the lock is a resource of the kernel's that only one process
 * can have and that the kernel takes back when the process ends, however it ends:
 *
 * - macOS, the BSDs and Windows lock a file in the call that opens it.
 * - Linux cannot, but it has socket names that are no files ("abstract"): one process can listen
 *   on a name. The name is made from the identity of the file at `path`.
 *
 * A file with a process id in it would need a guess whether that process still lives, and two
 * starters that both find it dead would have to be kept from removing each other's file.
 */
export function takeLock(path: string): DiskLock | undefined {
  return process.platform === 'linux' ? lockByName(path) : lockByOpening(path)
}

/** libuv passes these on; `fs.constants` does not list them. */
const exclusiveUnix = 0x20
const exclusiveWindows = 0x10000000
const nonBlockingMac = 0x4

function lockByOpening(path: string): DiskLock | undefined {
  const { O_RDWR, O_CREAT } = fs.constants
  const exclusive = process.platform === 'win32' ? exclusiveWindows : exclusiveUnix | nonBlockingMac
  try {
    const descriptor = fs.openSync(path, O_RDWR | O_CREAT | exclusive)
    return releaseOnce(() => fs.closeSync(descriptor))
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EBUSY') return undefined
    throw error
  }
}

function lockByName(path: string): DiskLock | undefined {
  fs.closeSync(fs.openSync(path, 'a'))
  const { dev, ino, birthtimeNs } = fs.statSync(path, { bigint: true })
  const lock = listenOn(`millrace-lock-${dev}-${ino}-${birthtimeNs}`)
  if (lock !== undefined) return lock
  // A process that may not listen on any name would wait for a holder that does not exist.
  const probe = listenOn(`millrace-probe-${process.pid}-${dev}-${ino}-${birthtimeNs}`)
  if (probe === undefined) throw new Error('this system allows no abstract socket names')
  probe.release()
  return undefined
}

/** The length of a socket name in Linux. Versions of Node differ in how they fill a shorter one. */
const nameBytes = 107

function listenOn(name: string): DiskLock | undefined {
  const server = net.createServer((connection) => connection.destroy())
  // Why it failed arrives too late to be told; that it failed is known when `listen` returns.
  server.on('error', () => undefined)
  server.listen({ path: `\0${name.padEnd(nameBytes, '-')}`, exclusive: true })
  if (!server.listening) return undefined
  server.unref()
  return releaseOnce(() => server.close())
}

function releaseOnce(release: () => void): DiskLock {
  let held = true
  return {
    release: () => {
      if (held) release()
      held = false
    },
  }
}
