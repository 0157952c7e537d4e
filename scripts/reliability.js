import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run simulate -- --seed 42 [--seeds 100]` and `npm run kill-loop -- --kills 200`. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'test/reliability/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
