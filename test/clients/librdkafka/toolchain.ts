/**
 * librdkafka's own tests: what stands behind confluent-kafka of every language, kcat and others. Those that
 * need no broker are left out.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { missingToolchain } from '../../kafka/kafka-jars.ts'
import type { Toolchain } from '../toolchain.ts'
import { buildLibrdkafkaTests, missingBuildTools } from './build.ts'
import { makeKafkaFolder } from './kafka-folder.ts'
import { leftOut, shareTests } from './left-out.ts'

interface Run {
  /** The release that the tests take the broker for; they leave out what needs a later one. */
  readonly release: string
  readonly options: readonly string[]
}

// -L: no tests without a broker; -E: no lame network; -Q: no long ones; -p: so many at once.
const allTests: Run = { release: '4.1.0.0', options: ['-p4', '-Q'] }
/** All of them are long, and mostly wait. */
const testsOfShares: Run = { release: '4.2.0.0', options: ['-p14'] }

/** A row of the table that the tests end with. */
const row = /^\| (\d{4}_\w+)\s*\|\s*(PASSED|FAILED|SKIPPED)\s*\|\s*([\d.]+)s \|(.*?)\|?$/

export const librdkafkaTests: Toolchain = {
  name: 'librdkafka-tests',
  missing: () => missingBuildTools() ?? missingToolchain('4.1.1'),
  async run(broker, only, line) {
    if (broker.listsBootstrap === undefined) {
      line('SKIP all: they need three nodes with access control lists')
      return
    }
    const bootstrap = broker.listsBootstrap
    const sources = await buildLibrdkafkaTests()
    const kafka = await makeKafkaFolder(sources)
    const folder = await mkdtemp(join(tmpdir(), 'millrace-librdkafka-'))
    try {
      const configuration = join(folder, 'test.conf')
      await writeFile(configuration, `bootstrap.servers=${bootstrap}\nbroker.address.family=v4\n`)
      const environment = {
        RDKAFKA_TEST_CONF: configuration,
        KAFKA_PATH: kafka,
        BROKERS: bootstrap,
        LD_LIBRARY_PATH: `${join(sources, 'src')}:${join(sources, 'src-cpp')}`,
        TESTS_SKIP: leftOut.flatMap(({ tests }) => tests).join(','),
        ...(only === '' ? {} : { TESTS: only }),
      }
      const tests = join(sources, 'tests')
      const seen =
        (await runTests(tests, allTests, environment, line)) +
        (await runTests(tests, testsOfShares, shareEnvironment(environment, only), line))
      if (seen === 0) throw new Error("librdkafka's tests have told nothing")
      for (const { tests, reason } of leftOut) line(`SKIP ${tests.join(', ')}: ${reason}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
      await rm(kafka, { recursive: true, force: true })
    }
  },
}

/** Those of share groups alone, which the run of release 4.1 passes over. */
function shareEnvironment(
  environment: Readonly<Record<string, string>>,
  only: string,
): Record<string, string> {
  const tests = shareTests.filter((test) => test.includes(only) || only.includes(test))
  return { ...environment, TESTS: tests.length > 0 ? tests.join(',') : 'none' }
}

/** Runs the tests and tells their outcomes; answers how many there were. */
async function runTests(
  folder: string,
  { release, options }: Run,
  environment: Readonly<Record<string, string>>,
  line: (text: string) => void,
): Promise<number> {
  const child = spawn('./test-runner', ['-L', '-E', ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...environment, TEST_KAFKA_VERSION: release },
  })
  const stop = (): void => void child.kill('SIGKILL')
  process.once('exit', stop)
  let seen = 0
  for await (const text of createInterface({ input: child.stdout })) {
    const plain = text.replaceAll(/\u001B\[[0-9;]*m/g, '')
    const [, test = '', outcome, seconds, reason = ''] = row.exec(plain) ?? []
    if (outcome === undefined) continue
    if (outcome === 'PASSED') line(`PASS ${test} ${Math.round(Number(seconds) * 1000)}`)
    if (outcome === 'FAILED') line(`FAIL ${test} ${Number(seconds) * 1000}: ${reason.trim()}`)
    if (outcome !== 'SKIPPED') seen += 1
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  process.removeListener('exit', stop)
  return seen
}
