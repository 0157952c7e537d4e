import { isDiskError } from '../../platform/index.ts'
import type { Disk } from '../../platform/index.ts'

/** All bytes of a small file; undefined when there is none. */
export function readWholeFile(disk: Disk, path: string): Buffer | undefined {
  if (disk.status(path) === undefined) return undefined
  const file = disk.open(path, 'existing')
  try {
    const content = Buffer.allocUnsafeSlow(file.size())
    return content.subarray(0, file.read(content, 0))
  } finally {
    file.close()
  }
}

/** Replaces the bytes of a small file whose loss does not matter; answers whether it could. */
export function tryWriteFile(disk: Disk, path: string, content: Buffer): boolean {
  try {
    const file = disk.open(path, 'create')
    try {
      file.truncate(0)
      file.write([content], 0)
    } finally {
      file.close()
    }
    return true
  } catch (error) {
    if (isDiskError(error)) return false
    throw error
  }
}
