import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { ensureInstalled, root, runTool } from './ensure-installed.js'

/*
 * `npm run test:kafka`: the conformance suite on Apache Kafka itself, and on the embedded broker.
 *
 *   --implementation NAME   only this one of the list below
 *   TEXT ...                only files whose name contains TEXT
 *
 * MILLRACE_TEST_KAFKA=host:port names a Kafka that is there already; the suite is run on that.
 */
ensureInstalled()

const attached = process.env.MILLRACE_TEST_KAFKA ? ['attached'] : undefined
const all = ['kafka-4.1', 'kafka-4.1-3-nodes', 'kafka-3.9', 'embedded']
const report = `${root}.cache/conformance-report.json`

const given = process.argv.slice(2)
const at = given.indexOf('--implementation')
const only = at < 0 ? undefined : given.splice(at, 2).slice(1)
const total = { passed: 0, failed: 0, skipped: 0 }

for (const implementation of only ?? attached ?? all) {
  const missing = missingFor(implementation)
  if (missing !== undefined) {
    console.log(`skipped  ${implementation}: ${missing}`)
    total.skipped += 1
    continue
  }
  console.log(`\n${implementation}`)
  count(run(implementation))
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

/** Runs the suite; answers vitest's report, or undefined when it did not come that far. */
function run(implementation) {
  rmSync(report, { force: true })
  const config = ['run', '--config=test/kafka/vitest.config.ts']
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
  const env = { ...process.env, MILLRACE_CONFORMANCE: implementation }
  const status = runTool('vitest/vitest.mjs', [...config, ...reporters, ...given], { env })
  try {
    return { status, report: JSON.parse(readFileSync(report, 'utf8')) }
  } catch {
    return { status, report: undefined }
  }
}

function count({ status, report: told }) {
  const failed = told?.numFailedTests ?? 0
  total.passed += told?.numPassedTests ?? 0
  total.skipped += told?.numPendingTests ?? 0
  // What fails outside a test (starting Kafka, loading a file) is a failure all the same.
  total.failed += failed === 0 && status !== 0 ? 1 : failed
}

/** Why an implementation cannot be had here. */
function missingFor(implementation) {
  if (!implementation.startsWith('kafka-')) return undefined
  const version = implementation.startsWith('kafka-3.9') ? '3.9.1' : '4.1.1'
  const cache = process.env.MILLRACE_KAFKA_CACHE ?? `${root}.cache/kafka`
  if (!answers('java', '-version')) return 'Java (17 or newer) is not installed'
  if (existsSync(`${cache}/${version}`) || answers('mvn', '--version')) return undefined
  return 'Maven (mvn), which fetches Kafka, is not installed'
}

function answers(command, argument) {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0
}
