import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run bench:runtime`: our consumer runtime beside the others; `-- --help` says more. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'benchmark/runtime/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
