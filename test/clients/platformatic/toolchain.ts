/** @platformatic/kafka, on a Node 24 of its own: npm has both. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runProgram } from '../run-program.ts'
import { Unavailable, type Toolchain } from '../toolchain.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const cache = join(here, '..', '..', '..', '.cache', 'platformatic')
const version = '2.12.1'

export const platformaticClient: Toolchain = {
  name: 'platformatic',
  missing() {
    const found = spawnSync('npm', ['--version'], { stdio: 'ignore' })
    return found.status === 0 ? undefined : 'npm, which fetches it, is not installed'
  },
  async run(broker, only, line) {
    const modules = join(await install(), 'node_modules')
    const node = join(modules, 'node', 'bin', 'node')
    const entry = join(modules, '@platformatic', 'kafka', 'dist', 'index.js')
    const program = [join(here, 'main.mjs'), entry, JSON.stringify(broker), only]
    await runProgram(node, program, line)
  },
}

async function install(): Promise<string> {
  const folder = join(cache, version)
  if (existsSync(folder)) return folder
  process.stderr.write(`Installing @platformatic/kafka ${version} and Node 24 into ${folder}\n`)
  // A folder with its final name is whole: npm writes beside it, and the rename is atomic.
  const partial = `${folder}.${process.pid}.partial`
  const packages = [`@platformatic/kafka@${version}`, 'node@24']
  try {
    await mkdir(partial, { recursive: true })
    await run('npm', ['install', '--silent', '--no-save', '--prefix', partial, ...packages])
    await rename(partial, folder)
  } catch (error) {
    throw new Unavailable(`npm could not install ${packages.join(', ')}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}
