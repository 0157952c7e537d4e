import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'

/* `npm run bench:streams`: streams beside Kafka Streams and loops by hand; `-- --help` says more. */
ensureInstalled()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'benchmark/streams/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
