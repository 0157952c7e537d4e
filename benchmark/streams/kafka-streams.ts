import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Task } from './task.ts'

const here = fileURLToPath(new URL('kafka-streams', import.meta.url))
const cache = fileURLToPath(new URL('../../.cache', import.meta.url))
const jars = `${cache}/kafka-streams`
const classes = `${cache}/kafka-streams-bench`
const source = `${here}/KafkaStreamsBench.java`

/** Fetches and compiles what is not there yet; answers why Kafka Streams cannot be run here. */
export function prepareKafkaStreams(): string | undefined {
  if (!answers('javac', '-version')) return 'Java (a JDK, 17 or newer) is not installed'
  if (!existsSync(jars)) {
    if (!answers('mvn', '--version')) return 'Maven (mvn), which fetches it, is not installed'
    process.stderr.write('Fetching Kafka Streams to compare with ...\n')
    // A folder with its final name is whole.
    const partial = `${jars}.${process.pid}.partial`
    const isFetched = answers(
      'mvn',
      ...['--batch-mode', '--quiet', `--file=${here}/pom.xml`, 'dependency:copy-dependencies'],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
    )
    if (isFetched) renameSync(partial, jars)
    else {
      rmSync(partial, { recursive: true, force: true })
      return 'its jars could not be fetched by Maven'
    }
  }
  const compiled = statSync(`${classes}/KafkaStreamsBench.class`, { throwIfNoEntry: false })
  if (compiled !== undefined && compiled.mtimeMs > statSync(source).mtimeMs) return undefined
  mkdirSync(classes, { recursive: true })
  return answers('javac', '-cp', `${jars}/*`, '-d', classes, source)
    ? undefined
    : 'what measures it could not be compiled'
}

/** The program and what it is told. */
export function kafkaStreamsCommand(bootstrap: string, task: Task): readonly [string, string[]] {
  const facts =
    task.kind === 'transform'
      ? { input: task.input, output: task.output, guarantee: task.guarantee }
      : { orders: task.orders, payments: task.payments, output: task.output, folder: task.folder }
  const others =
    task.kind === 'watch' ? { member: task.member, session: task.sessionTimeoutMs } : {}
  const { kind, group, records } = task
  const told = Object.entries({ bootstrap, kind, group, records, ...facts, ...others })
  return [
    'java',
    [
      ...['-Xmx1g', '-cp', `${jars}/*:${classes}`, 'KafkaStreamsBench'],
      ...told.map(([name, value]) => `${name}=${value}`),
    ],
  ]
}

function answers(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
