import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

// The launcher imports this file at every start, so what only a build needs is loaded by the build.

const root = fileURLToPath(new URL('..', import.meta.url))

/** The public entry points; each becomes a sub-path of the package. */
const entries = [
  'platform',
  'observe',
  'protocol',
  'contract',
  'client',
  'broker',
  'driver',
  'store',
  'runtime',
  'testing',
  'cli',
]

/** Tests and what only they use, as test/tidy.test.ts knows it: no part of the bundles. */
const testCode = /\.test(-d)?\.ts$|-fixture\.ts$|\/(?:fixture|golden)$/

/**
 * The latest change below a folder. Every file is asked, since a directory does not notice that one
 * of its files was edited; and every directory, since no file notices that another was removed.
 * The time of the last change of status counts: a file moved here brings its old time of writing.
 */
function newestChange(folder) {
  let newest = statSync(folder).ctimeMs
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (testCode.test(path)) continue
    const changed = entry.isDirectory() ? newestChange(path) : statSync(path).ctimeMs
    if (changed > newest) newest = changed
  }
  return newest
}

/**
 * Bundles the sources to `dist/` when one of them is newer than what is there. The bundles take the
 * place of the old ones at once and whole, because another process may be about to load them.
 */
export async function buildIfStale() {
  const built = statSync(`${root}dist/cli/index.js`, { throwIfNoEntry: false })
  const newest = Math.max(newestChange(`${root}src`), statSync(`${root}scripts/build.js`).ctimeMs)
  if (built !== undefined && built.mtimeMs > newest) return
  const { ensureInstalled } = await import('./ensure-installed.js')
  ensureInstalled()
  // As deep in the tree as `dist`, for the paths in the source maps.
  const fresh = `${root}dist.${process.pid}`
  try {
    const begunMs = Date.now()
    await bundle(fresh)
    // A source that is edited while it is being read is newer than the bundle.
    utimesSync(`${fresh}/cli/index.js`, begunMs / 1000, begunMs / 1000)
    replaceFolder(`${root}dist`, fresh)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

async function bundle(folder) {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.ts',
      ...Object.fromEntries(entries.map((name) => [`${name}/index`, `src/${name}/index.ts`])),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    sourcemap: true,
    chunkNames: 'shared/[hash]',
    logLevel: 'warning',
  })
}

/** Moves `fresh` to `folder`, again when another process has put its own bundles there meanwhile. */
function replaceFolder(folder, fresh) {
  const old = `${fresh}.old`
  for (let attempt = 1; ; attempt++) {
    try {
      if (statSync(folder, { throwIfNoEntry: false }) !== undefined) renameSync(folder, old)
      renameSync(fresh, folder)
      return
    } catch (error) {
      if (attempt === 10) throw error
    } finally {
      rmSync(old, { recursive: true, force: true })
    }
  }
}

/** Everything that is published: the bundles and the types. */
async function buildAll() {
  const { ensureInstalled, runTool } = await import('./ensure-installed.js')
  ensureInstalled()
  rmSync(`${root}dist`, { recursive: true, force: true })
  await buildIfStale()
  const status = runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
  if (status !== 0) process.exit(status)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildAll()
