import { buildIfStale } from './build.js'
import { ensureInstalled, runTool } from './ensure-installed.js'

/* `npm run test:clients`: foreign clients against the embedded broker. Options: test/clients/run.ts. */
ensureInstalled()
await buildIfStale()
process.exitCode = runTool('tsx/dist/cli.mjs', ['test/clients/run.ts', ...process.argv.slice(2)])
