import { spawn } from 'node:child_process'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/* `npm start`: the main job, shown working, on a fresh clone. */
ensureInstalled()
await buildIfStale()

const child = spawn(
  process.execPath,
  ['--import', 'tsx', 'examples/order-pipeline/harness/main.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
