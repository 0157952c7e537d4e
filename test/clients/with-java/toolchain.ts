/** The library's own client together with Java's, in one topic and one group. */
import { missingToolchain } from '../../kafka/kafka-jars.ts'
import { runBeside } from '../beside/run-beside.ts'
import { buildJava } from '../java/build.ts'
import type { Toolchain } from '../toolchain.ts'

const version = '4.1.1'
const options = [
  '-Xmx512m',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
]

export const withJava: Toolchain = {
  name: 'millrace-with-java',
  missing: () => missingToolchain(version),
  async run(broker, only, line) {
    const classPath = await buildJava(version)
    const java = {
      name: 'Java',
      command: 'java',
      arguments: [...options, '-cp', classPath, 'millrace.counterpart.Counterpart'],
      environment: {},
      metadataEnd: '',
      assignors: [
        { ours: 'range', theirs: 'RangeAssignor' },
        { ours: 'roundrobin', theirs: 'RoundRobinAssignor' },
        { ours: 'sticky', theirs: 'StickyAssignor' },
        { ours: 'cooperative-sticky', theirs: 'CooperativeStickyAssignor' },
      ],
    } as const
    await runBeside(java, broker, only, line)
  },
}
