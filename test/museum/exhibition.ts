import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { verdictMark } from './verdict-reporter.ts'
import type { Verdict } from './verdict-reporter.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Runs the suites of all exhibits, each with its defect, in one process: most of the time of a run
 * would be the start of the test runner, if each exhibit had its own.
 */
export async function visitExhibition(): Promise<Map<string, Verdict>> {
  const child = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=test/museum/vitest.config.ts',
      '--reporter=./test/museum/verdict-reporter.ts',
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  await once(child, 'close')
  const verdicts = output
    .split('\n')
    .filter((line) => line.startsWith(verdictMark))
    .map((line) => JSON.parse(line.slice(verdictMark.length)) as Verdict)
  if (verdicts.length === 0) throw new Error(`no suite of an exhibit was run:\n${output}`)
  return new Map(verdicts.map((verdict) => [verdict.exhibit, verdict]))
}
