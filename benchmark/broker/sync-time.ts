import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { median } from '../statistics.ts'

const syncs = 200
const sync = promisify(fdatasync)

/** What the disk alone takes to make a small append to one file durable. */
export async function syncMs(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-benchmark-'))
  const file = openSync(join(folder, 'appended'), 'w')
  const bytes = Buffer.alloc(1200, 'x')
  try {
    const times: number[] = []
    for (let count = 0; count < syncs; count++) {
      writeSync(file, bytes, 0, bytes.length, count * bytes.length)
      const started = performance.now()
      await sync(file)
      times.push(performance.now() - started)
    }
    return median(times)
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}
