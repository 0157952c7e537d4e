/** @confluentinc/kafka-javascript, compiled from the sources that come with it. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildConfluent } from '../../../benchmark/client/peers.ts'
import { runProgram } from '../run-program.ts'
import { Unavailable, type Toolchain } from '../toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const cache = join(here, '..', '..', '..', '.cache', 'peers', 'confluent')

export const confluentClient: Toolchain = {
  name: 'confluent',
  missing() {
    const found = spawnSync('npm', ['--version'], { stdio: 'ignore' })
    return found.status === 0 ? undefined : 'npm, which fetches it, is not installed'
  },
  async run(broker, only, line) {
    const missing = buildConfluent(cache)
    if (missing !== undefined) throw new Unavailable(missing)
    const program = [join(here, 'main.mjs'), cache, JSON.stringify(broker), only]
    await runProgram(process.execPath, program, line)
  },
}
