/**
 * Promise: the suites can see. Each known defect, put into the library, makes the suite fail that
 * guards against it; and none of them can be in what is published.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defects } from './defects.ts'
import type { Defect } from './defects.ts'
import { applyDefect } from './inject.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

async function runWith(defect: Defect): Promise<{ code: number; output: string }> {
  const filter = defect.test === undefined ? [] : ['--testNamePattern', defect.test]
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', defect.caughtBy, '--bail=1', ...filter],
    {
      cwd: root,
      env: { ...process.env, MILLRACE_DEFECT: defect.name, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, output }
}

describe('the museum', () => {
  it.concurrent.each(defects)(
    '$name is caught by $caughtBy',
    { timeout: 240_000 },
    async (defect) => {
      // An exhibit that cannot be hung is not a defect that was caught.
      expect(applyDefect(defect, read(defect.file))).not.toBe(read(defect.file))
      const { code, output } = await runWith(defect)
      expect(code, `no test noticed: ${defect.story}`).not.toBe(0)
      // Nor is a file that did not load, or one that failed for want of its fixture.
      expect(output).toMatch(/Tests +\d+ failed/)
      expect(output).toMatch(/AssertionError|SimulationError/)
    },
  )

  it('has one exhibit of a name', () => {
    expect(new Set(defects.map(({ name }) => name)).size).toBe(defects.length)
  })
})

describe('a defect', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => /\.(?:ts|js|json)$/.test(path) && !path.startsWith('test/museum/'))

  it('gets into the library only by way of the configuration of the tests', () => {
    const users = tracked.filter((path) => /museum\/|MILLRACE_DEFECT/.test(read(path)))
    expect(users).toEqual(['vitest.config.ts'])
  })

  it('is in no folder that is published, and the build imports nothing of the tests', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] }
    expect(files).toEqual(['bin', 'dist', 'CHANGELOG.md'])
    const published = tracked.filter((path) => /^(?:src|bin|scripts\/build\.js)/.test(path))
    const product = published.filter((path) => !/\.test\.ts$|-fixture\.ts$/.test(path))
    expect(product.filter((path) => /from '(?:\.\.\/)+test\//.test(read(path)))).toEqual([])
  })
})
