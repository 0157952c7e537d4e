/** The library's own client together with Java's, in one topic and one group. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingToolchain } from '../../kafka/kafka-jars.ts'
import { buildJava } from '../java/build.ts'
import { runProgram } from '../run-program.ts'
import type { Toolchain } from '../toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const version = '4.1.1'

export const withJava: Toolchain = {
  name: 'millrace-with-java',
  missing: () => missingToolchain(version),
  async run(broker, only, line) {
    const classPath = await buildJava(version)
    const program = ['--import', 'tsx', join(here, 'main.ts')]
    await runProgram(process.execPath, [...program, broker.bootstrap, classPath, only], line)
  },
}
