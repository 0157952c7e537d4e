import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run bench:client`: our client beside the others; `-- --help` says more. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'benchmark/client/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
