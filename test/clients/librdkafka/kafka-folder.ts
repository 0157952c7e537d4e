/**
 * A folder that looks like a release of Apache Kafka to librdkafka's tests: they call its command line
 * tools, and two Java programs of their own.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaClassPath } from '../../kafka/kafka-jars.ts'
import { buildJava } from '../java/build.ts'

const run = promisify(execFile)
const version = '4.1.1'
const options = '-Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
const tools = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
}

/** Makes the folder, and compiles the Java programs that are beside the tests. */
export async function makeKafkaFolder(librdkafka: string): Promise<string> {
  const classPath = await buildJava(version)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-path-'))
  const bin = join(folder, 'bin')
  await mkdir(bin)
  const programs = join(librdkafka, 'tests', 'java')
  const names = ['TransactionProducerCli', 'IncrementalRebalanceCli', 'Murmur2Cli']
  const sources = names.map((name) => join(programs, `${name}.java`))
  await run('javac', ['-nowarn', '-cp', classPath, '-d', programs, ...sources])
  // A test looks for the jar before it sees that the programs are there.
  await symlink(dirname(await kafkaClassPath(version)), join(folder, 'libs'))
  const script = (name: string, command: string): Promise<void> =>
    writeFile(join(bin, name), `#!/bin/sh\nexec java ${options} ${command} "$@"\n`, { mode: 0o755 })
  await Promise.all([
    ...Object.entries(tools).map(([name, tool]) => script(name, `-cp '${classPath}' ${tool}`)),
    script('kafka-run-class.sh', `-cp "$CLASSPATH:${classPath}"`),
  ])
  return folder
}
