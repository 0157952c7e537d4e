/** Python's clients: confluent-kafka, which is librdkafka, kafka-python and aiokafka. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'
import type { BrokerUnderTest, Toolchain } from '../toolchain.ts'
import { installPython, missingPython } from './install.ts'

const here = dirname(fileURLToPath(import.meta.url))

function pythonClient(name: string, module: string, packages: readonly string[]): Toolchain {
  return {
    name,
    missing: missingPython,
    async run(broker, only, line) {
      const modules = await installPython(
        `${name}-${packages[0]?.replace(/^.*==/, '') ?? ''}`,
        packages,
      )
      const program = [join(here, 'cases.py'), module, broker.bootstrap, '--only', only]
      const environment = { PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: '1' }
      await runProgram('python3', [...program, ...security(broker)], line, environment)
    },
  }
}

function security(broker: BrokerUnderTest): string[] {
  const given = [
    ['--sasl', broker.saslBootstrap],
    ['--tls', broker.tlsBootstrap],
    ['--ca', broker.authorityFile],
    ['--user', broker.user],
    ['--password', broker.password],
  ] as const
  return given.flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

export const pythonClients: readonly Toolchain[] = [
  pythonClient('confluent-kafka', 'confluent_client', ['confluent-kafka==2.16.1']),
  pythonClient('kafka-python', 'kafka_python_client', ['kafka-python[lz4,snappy,zstd]==3.0.12']),
  pythonClient('aiokafka', 'aiokafka_client', ['aiokafka[lz4,snappy,zstd]==0.14.0']),
]
