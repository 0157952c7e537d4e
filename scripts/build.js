import { readdirSync, rmSync, statSync } from 'node:fs'
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

/** Bundles the sources to `dist/` when one of them is newer than what is there. */
export async function buildIfStale() {
  const built = statSync(`${root}dist/cli/index.js`, { throwIfNoEntry: false })
  if (built !== undefined && built.mtimeMs >= newestChange(`${root}src`)) return
  ensureInstalled()
  const { build } = await import('esbuild')
  rmSync(`${root}dist`, { recursive: true, force: true })
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      entries.map((name) => [`${name}/index`, `src/${name}/index.ts`]),
    ),
    outdir: 'dist',
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

/** Everything that is published: the bundles and the types. */
async function buildAll() {
  ensureInstalled()
  rmSync(`${root}dist`, { recursive: true, force: true })
  await buildIfStale()
  const status = runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
  if (status !== 0) process.exit(status)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildAll()
