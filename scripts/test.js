import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { ensureInstalled, root } from './ensure-installed.js'
import { buildIfStale } from './build.js'

/*
 * `npm test`: everything that needs only Node. Formatting, linting and types are checked beside the
 * tests, because each of them uses one core. The last line counts: tests, and each check as one.
 */
ensureInstalled()
await buildIfStale()

const report = `${root}.cache/test-report.json`
rmSync(report, { force: true })

function run(name, modulePath, args) {
  const started = Date.now()
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${root}node_modules/${modulePath}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('close', (code) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`)
      const told = Buffer.concat(output).toString()
      if (code !== 0) console.log(told)
      else for (const [line] of told.matchAll(/^passed at a second try: .*$/gm)) console.log(line)
      resolve(code === 0)
    })
  })
}

/*
 * What has not changed since it was last found in order is passed over. A file's linting can also
 * depend on the types of another file: only a run without `.cache`, as on a fresh clone, has it all.
 */
async function runChecks() {
  const prettier = ['--check', '--log-level=warn', ...cacheOf('prettier'), '.']
  const types = ['-p', '.', '--incremental', '--tsBuildInfoFile', '.cache/types.tsbuildinfo']
  return [
    await run('formatting', 'prettier/bin/prettier.cjs', prettier),
    await run('types', 'typescript/bin/tsc', types),
    await run('linting', 'eslint/bin/eslint.js', [...cacheOf('eslint'), '.']),
  ]
}

/** Contents count and not times, which every checkout changes. */
function cacheOf(tool) {
  return ['--cache', `--cache-location=.cache/${tool}`, '--cache-strategy=content']
}

/* `npm run test:museum`, `npm run test:package`: a suite that `npm test` leaves out. */
const [option, suite] = process.argv.slice(2)
if (option === '--suite') process.env.MILLRACE_TEST_SUITE = suite
const filter = option === '--suite' ? [`test/${suite}/${suite}.test.ts`] : process.argv.slice(2)
const reporters = [
  '--reporter=dot',
  '--reporter=./test/second-try-reporter.ts',
  '--reporter=json',
  `--outputFile.json=${report}`,
]
const [checks, testsPassed] = await Promise.all([
  filter.length === 0 ? runChecks() : [],
  run('tests', 'vitest/vitest.mjs', ['run', ...reporters, ...filter]),
])

function counts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    // A file that fails to load has no tests of its own; it is a failure all the same.
    const failed =
      numFailedTests === 0 && numFailedTestSuites > 0 ? numFailedTestSuites : numFailedTests
    return { passed: numPassedTests, failed, skipped: numPendingTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const { passed, failed, skipped } = counts()
const checksPassed = checks.filter(Boolean).length
const failures = failed + (checks.length - checksPassed) + (testsPassed || failed > 0 ? 0 : 1)
console.log(`${passed + checksPassed} passed, ${failures} failed, ${skipped} skipped`)
process.exitCode = failures === 0 ? 0 : 1
