import { spawnSync } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm run picture`: draws docs/order-pipeline.svg anew, from a run of the pipeline. */
ensureInstalled()
await buildIfStale()

const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'examples/order-pipeline/harness/picture/draw.ts'],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
