import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { ensureInstalled, root, runTool } from './ensure-installed.js'

/** The public entry points; each becomes a sub-path of the package. */
const entries = ['platform', 'protocol', 'broker', 'testing', 'cli']

function newestChange(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) newest = Math.max(newest, newestChange(path))
    else if (!entry.name.endsWith('.test.ts')) newest = Math.max(newest, statSync(path).mtimeMs)
  }
  return newest
}

/**
 * Bundles the sources to `dist/` when one of them is newer than what is there. Several processes
 * may do so at once: each builds in a folder of its own, and none sees half of a bundle.
 */
export async function buildIfStale() {
  const built = statSync(`${root}dist/cli/index.js`, { throwIfNoEntry: false })
  const changedMs = newestChange(`${root}src`)
  if (built !== undefined && built.mtimeMs >= changedMs) return
  ensureInstalled()
  const { build } = await import('esbuild')
  const folder = `.cache/dist-${process.pid}`
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      entries.map((name) => [`${name}/index`, `src/${name}/index.ts`]),
    ),
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
  // As old as what it was built from: a source changed since then makes it stale.
  utimesSync(`${root}${folder}/cli/index.js`, new Date(), new Date(Math.ceil(changedMs)))
  putInPlace(`${root}${folder}`, `${root}dist`)
}

/** Another process may be doing the same at any point; what it put there is as good. */
function putInPlace(folder, place) {
  const former = `${folder}-former`
  try {
    renameSync(place, former)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  try {
    renameSync(folder, place)
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    rmSync(folder, { recursive: true })
  }
  rmSync(former, { recursive: true, force: true })
}

/** Everything that is published: the bundles and the types. */
async function buildAll() {
  ensureInstalled()
  rmSync(`${root}dist`, { recursive: true, force: true })
  await buildIfStale()
  const status = runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
  if (status !== 0) process.exit(status)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildAll()
