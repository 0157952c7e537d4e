/** Apache Kafka's own Java clients, Streams and command line tools. */
import { runProgram } from '../run-program.ts'
import { missingToolchain, type KafkaVersion } from '../../kafka/kafka-jars.ts'
import type { BrokerUnderTest, Toolchain } from '../toolchain.ts'
import { buildJava } from './build.ts'

const options = [
  '-Xmx1g',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
]

/** The Java clients of one release. */
export function javaClients(version: KafkaVersion): Toolchain {
  return {
    name: `java-${version}`,
    missing: () => missingToolchain(version),
    async run(broker, only, line) {
      const classPath = await buildJava(version)
      const program = ['-cp', classPath, 'millrace.cases.Main', broker.bootstrap]
      const all = [...options, ...program, '--only', only, ...securityArguments(broker)]
      await runProgram('java', all, line)
    },
  }
}

function securityArguments(broker: BrokerUnderTest): string[] {
  const given = [
    ['--sasl', broker.saslBootstrap],
    ['--tls', broker.tlsBootstrap],
    ['--ca', broker.authorityFile],
    ['--user', broker.user],
    ['--password', broker.password],
  ] as const
  return given.flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}
