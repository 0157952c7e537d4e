/**
 * Installs Python packages, ready built, into `.cache/python/<what>-<Python's version>/`. What is there is
 * used again.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Unavailable } from '../toolchain.ts'

const run = promisify(execFile)
const cache = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '.cache', 'python')

/** Why no packages of Python can be installed on this machine; undefined when they can. */
export function missingPython(): string | undefined {
  const found = spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' })
  return found.status === 0 ? undefined : 'Python 3 (python3) with pip is not installed'
}

/** The folder that Python is to look for modules in, when these packages are to be among them. */
export async function installPython(what: string, packages: readonly string[]): Promise<string> {
  // What is installed is built for one version of Python.
  const tag = 'import sys; print(sys.implementation.cache_tag)'
  const python = (await run('python3', ['-c', tag])).stdout.trim()
  const folder = join(cache, `${what}-${python}`)
  if (existsSync(folder)) return folder
  process.stderr.write(`Installing ${packages.join(', ')} into ${folder}\n`)
  // A folder with its final name is whole: pip writes beside it, and the rename is atomic.
  const partial = `${folder}.${process.pid}.partial`
  const quiet = ['--quiet', '--disable-pip-version-check']
  const ready = ['--only-binary=:all:', '--target', partial]
  try {
    await run('python3', ['-m', 'pip', 'install', ...quiet, ...ready, ...packages])
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } catch (error) {
    throw new Unavailable(`pip could not install ${packages.join(', ')}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}
