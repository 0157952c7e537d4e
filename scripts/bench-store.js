import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'

/* `npm run bench:store`: what states of tasks cost, in memory and in LMDB; `-- --help` says more. */
ensureInstalled()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'benchmark/store/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
