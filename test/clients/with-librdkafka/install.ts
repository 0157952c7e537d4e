/**
 * Installs confluent-kafka, which is librdkafka with a Python face, into
 * `.cache/librdkafka/<version>-<Python's version>/`, ready built. What is there is used again.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const version = '2.16.1'
const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** The folder that Python is to look for modules in. */
export async function installLibrdkafka(): Promise<string> {
  // What is installed is built for one version of Python.
  const tag = 'import sys; print(sys.implementation.cache_tag)'
  const python = (await run('python3', ['-c', tag])).stdout.trim()
  const folder = join(project, '.cache', 'librdkafka', `${version}-${python}`)
  if (existsSync(folder)) return folder
  process.stderr.write(`Installing librdkafka (confluent-kafka ${version}) into ${folder}\n`)
  // A folder with its final name is whole: pip writes beside it, and the rename is atomic.
  const partial = `${folder}.${process.pid}.partial`
  const quiet = ['--quiet', '--disable-pip-version-check']
  const what = ['--only-binary=:all:', `confluent-kafka==${version}`]
  try {
    await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', partial, ...what])
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } catch (error) {
    throw new Error(`pip could not install confluent-kafka ${version}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}
