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
import { leftOut } from './left-out.ts'

const testsAtOnce = 4

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
      const seen = await runTests(join(sources, 'tests'), environment, line)
      if (seen === 0) throw new Error("librdkafka's tests have told nothing")
      for (const { tests, reason } of leftOut) line(`SKIP ${tests.join(', ')}: ${reason}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
      await rm(kafka, { recursive: true, force: true })
    }
  },
}

/** Runs the tests and tells their outcomes; answers how many there were. */
async function runTests(
  folder: string,
  environment: Readonly<Record<string, string>>,
  line: (text: string) => void,
): Promise<number> {
  // -L: no tests without a broker; -Q: no long ones; -E: no lame network.
  const options = [`-p${testsAtOnce}`, '-L', '-Q', '-E', '-V', '4.1.0.0']
  const child = spawn('./test-runner', options, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...environment },
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
