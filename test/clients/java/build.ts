/**
 * Compiles the Java programs for one release of Kafka's clients, with Maven, into
 * `.cache/java/<version>/`. What is there is used again until a source changes.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { KafkaVersion } from '../../kafka/kafka-jars.ts'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))

/** The class path of the compiled programs and all they need. */
export async function buildJava(version: KafkaVersion): Promise<string> {
  const folder = join(here, '..', '..', '..', '.cache', 'java', version)
  const classPath = [join(folder, 'classes'), join(folder, 'lib', '*')].join(delimiter)
  const stamp = join(folder, 'sources.sha256')
  const wanted = await hashOfSources()
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return classPath
  process.stderr.write(`Compiling the Java programs for Kafka's clients ${version}\n`)
  await rm(join(folder, 'classes'), { recursive: true, force: true })
  const goals = ['compile', 'dependency:copy-dependencies']
  await run('mvn', [
    '--batch-mode',
    '--quiet',
    `--file=${join(here, 'pom.xml')}`,
    ...goals,
    `-Dkafka.version=${version}`,
    `-Dbuild.folder=${folder}`,
    '-DincludeScope=runtime',
    // Release 3.9 brings a logger of its own, which is silent without a configuration file.
    '-DexcludeArtifactIds=slf4j-reload4j',
    `-DoutputDirectory=${join(folder, 'lib')}`,
  ]).catch((error: unknown) => {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
    throw new Error(`Maven could not build ${here}:\n${output}`, { cause: error })
  })
  await writeFile(stamp, wanted)
  return classPath
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(here, 'pom.xml')))
  const sources = join(here, 'src')
  const files = await readdir(sources, { recursive: true, withFileTypes: true })
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
  for (const path of paths.sort()) hash.update(path).update(await readFile(path))
  return hash.digest('hex')
}
