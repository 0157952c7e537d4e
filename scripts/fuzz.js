import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'

/* `npm run fuzz -- --inputs 10000000 [--seed N] [--processes N]`: see docs/internals/fuzzing.md. */
ensureInstalled()
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'test/fuzz/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
