import { dirname, join } from 'node:path'
import { MillraceError } from '../../errors.ts'
import type { Disk, DiskLock } from '../../platform/index.ts'
import { damaged } from './damaged.ts'
import { readWholeFile } from './whole-file.ts'

/** A folder that this process alone may use. */
export interface DataFolder {
  /** The directory that the logs are in. */
  readonly logsPath: string
  readonly lock: DiskLock
}

interface Meta {
  readonly format: string
  readonly version: number
}

const meta: Meta = { format: 'millrace-broker', version: 1 }

const metaName = 'meta.json'
const newMetaName = 'meta.json.new'
const lockName = 'lock'
const logsName = 'logs'
const ownNames: readonly string[] = [newMetaName, lockName, logsName]

/**
 * Opens a data folder, or makes one. It refuses folders that hold something else, that a version
 * with another format has written, or that another process has open.
 */
export async function openDataFolder(disk: Disk, path: string): Promise<DataFolder> {
  const found = readWholeFile(disk, join(path, metaName))
  if (found === undefined) checkUnused(disk, path)
  else checkFormat(join(path, metaName), found)
  const above = unsyncedAbove(disk, path)
  disk.makeDirectory(path)
  const lock = disk.lock(join(path, lockName))
  if (lock === undefined) {
    const problem = `data folder ${path} is in use by another process`
    throw new MillraceError('MILLRACE_BROKER_DATA_IN_USE', problem)
  }
  try {
    if (found === undefined) await makeFolder(disk, path, above)
    // Who made the folder may have been killed before its names were synced.
    else await disk.syncDirectory(path)
  } catch (error) {
    lock.release()
    throw error
  }
  return { logsPath: join(path, logsName), lock }
}

function checkUnused(disk: Disk, path: string): void {
  if (disk.status(path) === undefined) return
  const other = disk.list(path).find((name) => !ownNames.includes(name))
  if (other === undefined) return
  throw damaged(`data folder ${path} is not one: it has no ${metaName}, but ${other}`)
}

function checkFormat(path: string, content: Buffer): void {
  let found: Partial<Meta>
  try {
    found = JSON.parse(content.toString()) as Partial<Meta>
  } catch (error) {
    throw damaged(`${path} is not JSON`, error)
  }
  if (found.format === meta.format && found.version === meta.version) return
  const isNewer = found.format === meta.format && (found.version ?? 0) > meta.version
  throw damaged(
    `${path} has format ${found.format} version ${found.version}, ` +
      `only ${meta.format} version ${meta.version} is known` +
      (isNewer ? ': a newer release has written it, and can open it' : ''),
  )
}

/**
 * Writes what says that this is a data folder last: without it nothing of the folder counts, and
 * with it the names above are known to be synced.
 */
async function makeFolder(disk: Disk, path: string, above: readonly string[]): Promise<void> {
  for (const directory of above) await disk.syncDirectory(directory)
  disk.makeDirectory(join(path, logsName))
  const file = disk.open(join(path, newMetaName), 'create')
  try {
    file.truncate(0)
    file.write([Buffer.from(`${JSON.stringify(meta)}\n`)], 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(join(path, newMetaName), join(path, metaName))
  await disk.syncDirectory(path)
}

/** The directories that get a new entry when `path` is made, or got it and were not synced. */
function unsyncedAbove(disk: Disk, path: string): string[] {
  const directories = disk.status(path) === undefined ? [] : [dirname(path)]
  for (let child = path; disk.status(child) === undefined && dirname(child) !== child;) {
    child = dirname(child)
    directories.push(child)
  }
  return directories
}
