import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runToEnd } from '../side-by-side.ts'
import type { Measurement } from '../stopwatch.ts'
import type { ConsumeTask } from './task.ts'

const here = fileURLToPath(new URL('parallel-consumer', import.meta.url))
const cache = fileURLToPath(new URL('../../.cache', import.meta.url))
const jars = `${cache}/parallel-consumer`
const classes = `${cache}/parallel-consumer-bench`
const source = `${here}/ParallelConsumerBench.java`

/** Fetches and compiles what is not there yet; answers why Parallel Consumer cannot be run here. */
export function prepareParallelConsumer(): string | undefined {
  if (!answers('javac', '-version')) return 'Java (a JDK, 17 or newer) is not installed'
  if (!existsSync(jars)) {
    if (!answers('mvn', '--version')) return 'Maven (mvn), which fetches it, is not installed'
    process.stderr.write('Fetching Parallel Consumer to compare with ...\n')
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
  const compiled = statSync(`${classes}/ParallelConsumerBench.class`, { throwIfNoEntry: false })
  if (compiled !== undefined && compiled.mtimeMs > statSync(source).mtimeMs) return undefined
  mkdirSync(classes, { recursive: true })
  return answers('javac', '-cp', `${jars}/*`, '-d', classes, source)
    ? undefined
    : 'what measures it could not be compiled'
}

/** Throws when it fails. */
export async function measureParallelConsumer(
  bootstrap: string,
  { topic, records, handlerMs: [minMs, maxMs], concurrency }: ConsumeTask,
): Promise<Measurement> {
  const numbers = [records, minMs, maxMs, concurrency].map(String)
  const { code, output, trouble } = await runToEnd('java', [
    ...['-Xmx1g', '-cp', `${jars}/*:${classes}`, 'ParallelConsumerBench', bootstrap, topic],
    ...numbers,
  ])
  if (code !== 0) throw new Error(trouble.slice(0, 2_000))
  return JSON.parse(output) as Measurement
}

function answers(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
