/**
 * Promise: the suites can see. Each known defect, put into the library, makes the suite fail that
 * guards against it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defects } from './defects.ts'
import type { Defect } from './defects.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function runWith(defect: Defect): Promise<{ code: number; output: string }> {
  const filter = defect.test === undefined ? [] : ['--testNamePattern', defect.test]
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', defect.caughtBy, '--bail=1', ...filter],
    { cwd: root, env: { ...process.env, MILLRACE_DEFECT: defect.name }, stdio: 'pipe' },
  )
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, output }
}

describe('the museum', () => {
  it.each(defects)('$name is caught by $caughtBy', { timeout: 120_000 }, async (defect) => {
    const { code, output } = await runWith(defect)
    expect(code, `no test noticed: ${defect.story}`).not.toBe(0)
    // A file that did not load, or a defect that could not be put in, has caught nothing.
    expect(output).toMatch(/\d+ failed/)
    expect(output).not.toContain(`the words of defect '${defect.name}'`)
  })
})
