/**
 * Compiles a Go program into `.cache/go/`; its modules come from Go's module proxy. What is there is used
 * again until a source changes.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Unavailable } from '../toolchain.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const cache = join(here, '..', '..', '..', '.cache', 'go')

/** The path of the program that `go build` or `go test -c` makes of a package. */
export async function buildGo(
  command: readonly ['build'] | readonly ['test', '-c'],
  goPackage: string,
): Promise<string> {
  const hash = (await hashOfSources()).slice(0, 16)
  const program = join(cache, `${goPackage.replaceAll(/[^a-z0-9]+/g, '-')}-${hash}`)
  if (existsSync(program)) return program
  process.stderr.write(`Compiling ${goPackage} with Go\n`)
  await mkdir(cache, { recursive: true })
  await run('go', ['mod', 'download'], { cwd: here }).catch((error: unknown) => {
    throw new Unavailable(`Go could not fetch the modules: ${String(error)}`, { cause: error })
  })
  // A file with its final name is whole: Go writes beside it, and the rename is atomic.
  const partial = `${program}.${process.pid}.partial`
  await run('go', [...command, '-o', partial, goPackage], { cwd: here }).catch((error: unknown) => {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new Error(`Go could not build ${goPackage}:\n${output}`, { cause: error })
  })
  await rename(partial, program)
  return program
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  const files = await readdir(here, { recursive: true, withFileTypes: true })
  const paths = files
    .filter((file) => /\.go$|^go\.(mod|sum)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name))
  for (const path of paths.sort()) hash.update(path).update(await readFile(path))
  return hash.digest('hex')
}
