import type { Disk } from '../../../platform/index.ts'

/*
 * The beginning of LMDB's file: two pages that each say what the file is.
 *
 *   page  => header(24) meta
 *   meta  => magic(4) version(4) address(8) map-size(8) page-size(4) ...
 *
 * Numbers are little-endian, as the machines are that the package has binaries for. LMDB looks at the same, but where it
 * refuses a file the package ends the process with a fault (3.5.6): it must not come to that.
 */
const magic = 0xbeefc0de
const magicAt = 24
const pageSizeAt = 48
const pageSizeMax = 65_536
const prefixBytes = 64

/** Why a file cannot be LMDB's; undefined where it can, and where there is none, or nothing in it. */
export function troubleWithHeader(disk: Disk, path: string): string | undefined {
  const status = disk.status(path)
  if (status === undefined || status.size === 0) return undefined
  const file = disk.open(path, 'existing')
  try {
    const prefix = Buffer.alloc(prefixBytes)
    file.read(prefix, 0)
    const pageSize = prefix.readUInt32LE(pageSizeAt)
    if (prefix.readUInt32LE(magicAt) !== magic || pageSize === 0 || pageSize > pageSizeMax) {
      return 'it does not begin as a file of LMDB does'
    }
    file.read(prefix.fill(0), pageSize)
    if (prefix.readUInt32LE(magicAt) !== magic) return 'its second page is not that of LMDB'
    return undefined
  } finally {
    file.close()
  }
}
