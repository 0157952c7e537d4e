/** The library's own client together with librdkafka, in one topic and one group. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBeside } from '../beside/run-beside.ts'
import type { Toolchain } from '../toolchain.ts'
import { installLibrdkafka } from './install.ts'

const here = dirname(fileURLToPath(import.meta.url))

export const withLibrdkafka: Toolchain = {
  name: 'millrace-with-librdkafka',
  missing() {
    const found = spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' })
    return found.status === 0 ? undefined : 'Python 3 (python3) with pip is not installed'
  },
  async run(broker, only, line) {
    const librdkafka = {
      name: 'librdkafka',
      command: 'python3',
      arguments: [join(here, 'counterpart.py')],
      environment: { PYTHONPATH: await installLibrdkafka() },
      // The Python face counts the end of its C string.
      metadataEnd: '\0',
      assignors: [
        { ours: 'range', theirs: 'range' },
        { ours: 'roundrobin', theirs: 'roundrobin' },
        { ours: 'cooperative-sticky', theirs: 'cooperative-sticky' },
      ],
    } as const
    await runBeside(librdkafka, broker, only, line)
  },
}
