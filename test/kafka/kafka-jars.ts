/**
 * Where the jars of an Apache Kafka release are. They are fetched once, by Maven, into
 * `.cache/kafka/<version>/` of the project (or the folder named by MILLRACE_KAFKA_CACHE).
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const project = join(here, '..', '..')

/** A release the suites are run against. */
export type KafkaVersion = '4.2.1' | '4.1.1' | '3.9.1'

const fetching = new Map<KafkaVersion, Promise<string>>()

/** Why no Apache Kafka can be started on this machine; undefined when one can. */
export function missingToolchain(version: KafkaVersion): string | undefined {
  if (!answers('java', '-version')) return 'Java (17 or newer) is not installed'
  if (existsSync(jarFolder(version))) return undefined
  if (!answers('mvn', '--version')) return 'Maven (mvn), which fetches Kafka, is not installed'
  return undefined
}

/** The Java class path of a Kafka release; fetches its jars when they are not there yet. */
export function kafkaClassPath(version: KafkaVersion): Promise<string> {
  let path = fetching.get(version)
  if (path === undefined) {
    path = fetchJars(version).then((folder) => join(folder, '*'))
    fetching.set(version, path)
  }
  return path
}

async function fetchJars(version: KafkaVersion): Promise<string> {
  const folder = jarFolder(version)
  if (existsSync(folder)) return folder
  process.stderr.write(`Fetching Apache Kafka ${version} (55 MB) into ${folder}\n`)
  // A folder with its final name is whole: Maven writes beside it, and the rename is atomic.
  const partial = `${folder}.${process.pid}.partial`
  await mkdir(partial, { recursive: true })
  try {
    await run('mvn', [
      '--batch-mode',
      '--quiet',
      `--file=${join(here, 'jars', 'pom.xml')}`,
      'dependency:copy-dependencies',
      `-Dkafka.version=${version}`,
      '-DincludeScope=runtime',
      // Release 3.9 brings a logger of its own, which is silent without a configuration file.
      '-DexcludeArtifactIds=slf4j-reload4j',
      `-DoutputDirectory=${partial}`,
    ])
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } catch (error) {
    throw new Error(`Apache Kafka ${version} could not be fetched by Maven: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  process.stderr.write(`Apache Kafka ${version} is ready\n`)
  return folder
}

function jarFolder(version: KafkaVersion): string {
  const cache = process.env['MILLRACE_KAFKA_CACHE'] ?? join(project, '.cache', 'kafka')
  return join(cache, version)
}

function answers(command: string, argument: string): boolean {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0
}
