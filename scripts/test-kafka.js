import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { ensureInstalled, root } from './ensure-installed.js'

/*
 * `npm run test:kafka`: the conformance suite on Apache Kafka itself, and on the embedded broker. Says
 * one line an implementation, and what has failed.
 *
 *   --implementation NAME   only this one of the list below
 *   TEXT ...                only files whose name contains TEXT
 *
 * MILLRACE_TEST_KAFKA=host:port names a Kafka that is there already; the suite is run on that.
 */
ensureInstalled()

const all = ['kafka-4.1', 'kafka-4.1-3-nodes', 'kafka-3.9', 'embedded', 'embedded-3-nodes']
const report = `${root}.cache/conformance-report.json`
const outputBytesMax = 64 * 1024 * 1024

const given = process.argv.slice(2)
const total = { passed: 0, failed: 0, skipped: 0 }

for (const implementation of chosen()) {
  const missing = missingFor(implementation)
  if (missing !== undefined) {
    console.log(`skipped  ${implementation}: ${missing}`)
    total.skipped += 1
    continue
  }
  tell(implementation, run(implementation))
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

/** The implementations to run; takes what names one out of `given`. */
function chosen() {
  const known = process.env.MILLRACE_TEST_KAFKA ? ['attached'] : all
  const at = given.indexOf('--implementation')
  if (at < 0) return known
  const [, name] = given.splice(at, 2)
  if (known.includes(name)) return [name]
  console.error(`--implementation (${name}) must be one of ${known.join(', ')}`)
  process.exit(1)
}

function run(implementation) {
  rmSync(report, { force: true })
  const vitest = `${root}node_modules/vitest/vitest.mjs`
  const config = ['run', '--config=test/kafka/vitest.config.ts']
  const reporters = [
    '--reporter=dot',
    '--reporter=./test/second-try-reporter.ts',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const started = Date.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, ...config, ...reporters, ...given],
    {
      cwd: root,
      env: { ...withoutColours(process.env), MILLRACE_CONFORMANCE: implementation },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: outputBytesMax,
    },
  )
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  // Vitest tells failures on stderr, and its progress on stdout.
  return { status, failures: stderr.trim() || stdout, seconds, report: readReport() }
}

function withoutColours({ FORCE_COLOR: _, ...env }) {
  return { ...env, NO_COLOR: '1' }
}

/** Vitest's report, undefined when it did not come that far. */
function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

function tell(implementation, { status, failures, seconds, report: told }) {
  const passed = told?.numPassedTests ?? 0
  const skipped = told?.numPendingTests ?? 0
  // What fails outside a test (starting Kafka, loading a file) is a failure all the same.
  const failed = told?.numFailedTests || (status === 0 ? 0 : 1)
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  const others = skipped > 0 ? `, ${skipped} skipped` : ''
  const label = failed === 0 ? 'passed ' : 'FAILED '
  console.log(
    `${label}  ${implementation}: ${passed} passed, ${failed} failed${others} (${seconds} s)`,
  )
  if (failed > 0) console.log(`\n${failures}\n`)
  else for (const [line] of failures.matchAll(/^passed at a second try: .*$/gm)) console.log(line)
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
