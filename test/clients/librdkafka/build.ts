/**
 * Builds librdkafka's own tests in `.cache/librdkafka-tests/<version>/`. The sources come from npm, in the
 * package of Confluent's JavaScript client, which brings all of librdkafka.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Unavailable } from '../toolchain.ts'

const run = promisify(execFile)
const cache = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  '.cache',
  'librdkafka-tests',
)
/** With librdkafka 2.15.1. */
const version = '1.10.1'
const outputBytesMax = 64 * 1024 * 1024

/** Why the tests cannot be built on this machine; undefined when they can. */
export function missingBuildTools(): string | undefined {
  const tools = ['gcc', 'g++', 'make', 'tar', 'npm']
  const missing = tools.filter(
    (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0,
  )
  if (missing.length > 0) return `${missing.join(', ')} (to build the tests) is not installed`
  const headers = ['openssl/ssl.h', 'zlib.h', 'rapidjson/document.h']
  const source = headers.map((header) => `#include <${header}>`).join('\n')
  const compiled = spawnSync('g++', ['-fsyntax-only', '-x', 'c++', '-'], {
    input: source,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  return compiled.status === 0
    ? undefined
    : 'the headers of OpenSSL, zlib and RapidJSON (libssl-dev, zlib1g-dev, rapidjson-dev) are not installed'
}

/** The folder with librdkafka's sources, where `tests/test-runner` is built. */
export async function buildLibrdkafkaTests(): Promise<string> {
  const folder = join(cache, version)
  const sources = join(folder, 'package', 'deps', 'librdkafka')
  if (existsSync(folder)) return sources
  process.stderr.write(
    `Compiling librdkafka and its tests into ${folder}, which takes some minutes\n`,
  )
  // A folder with its final name is whole: all is made beside it, and the rename is atomic.
  const partial = `${folder}.${process.pid}.partial`
  const within = join(partial, 'package', 'deps', 'librdkafka')
  const shell = async (
    directory: string,
    command: string,
    ...words: readonly string[]
  ): Promise<string> =>
    (await run(command, words, { cwd: directory, maxBuffer: outputBytesMax })).stdout
  await mkdir(partial, { recursive: true })
  try {
    const name = `@confluentinc/kafka-javascript@${version}`
    const packed = await shell(partial, 'npm', 'pack', '--silent', name).catch((error: unknown) => {
      throw new Unavailable(`npm could not fetch ${name}: ${String(error)}`, { cause: error })
    })
    await shell(partial, 'tar', 'xf', packed.trim())
    await shell(within, './configure', '--disable-curl', '--disable-gssapi')
    await shell(within, 'make', '-j2', 'libs')
    await shell(join(within, 'tests'), 'make', '-j2', 'build')
    await rename(partial, folder)
  } catch (error) {
    if (error instanceof Unavailable) throw error
    throw new Error(`librdkafka's tests could not be built: ${String(error)}`, { cause: error })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return sources
}
