import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run bench:broker`: the size and speed of the embedded broker; `-- --help` says more. */
ensureInstalled()
await buildIfStale()

const program = process.argv.includes('--sizes') ? 'sizes' : 'main'
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', `benchmark/broker/${program}.ts`, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
