import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run chaos -- --clients millrace,kafkajs-transactions --schedules kill,cut [--record]`: needs Java. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'test/reliability/chaos/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
