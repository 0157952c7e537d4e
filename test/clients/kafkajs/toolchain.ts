/** kafkajs, the client that most of Node uses today. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'
import type { Toolchain } from '../toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))

export const kafkajsClient: Toolchain = {
  name: 'kafkajs',
  missing: () => undefined,
  run: (broker, only, line) =>
    runProgram(
      process.execPath,
      ['--import', 'tsx', join(here, 'main.ts'), JSON.stringify(broker), only],
      line,
    ),
}
