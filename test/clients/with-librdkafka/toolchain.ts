/** The library's own client together with librdkafka, in one topic and one group. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBeside } from '../beside/run-beside.ts'
import { installPython, missingPython } from '../python/install.ts'
import type { Toolchain } from '../toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))

export const withLibrdkafka: Toolchain = {
  name: 'millrace-with-librdkafka',
  missing: missingPython,
  async run(broker, only, line) {
    const librdkafka = {
      name: 'librdkafka',
      command: 'python3',
      arguments: [join(here, 'counterpart.py')],
      environment: {
        PYTHONPATH: await installPython('confluent-kafka-2.16.1', ['confluent-kafka==2.16.1']),
      },
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
