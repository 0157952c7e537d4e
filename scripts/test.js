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
      if (code !== 0) console.log(Buffer.concat(output).toString())
      resolve(code === 0)
    })
  })
}

async function runChecks() {
  return [
    await run('formatting', 'prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']),
    await run('types', 'typescript/bin/tsc', ['-p', '.']),
    await run('linting', 'eslint/bin/eslint.js', ['.']),
  ]
}

const filter = process.argv.slice(2)
const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
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
