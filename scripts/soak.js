import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run soak -- --for 1h`: brokers at work for long; docs/internals/broker-long-life.md. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'benchmark/broker/soak/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
