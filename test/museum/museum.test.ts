/**
 * Promise: the suites can see. Each known defect, put into the library, makes the suite fail that
 * guards against it; and none of them can be in what is published.
 *
 * Command: npm run test:museum
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { defects } from './defects.ts'
import { visitExhibition } from './exhibition.ts'
import { applyDefect } from './inject.ts'
import type { Verdict } from './verdict-reporter.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

describe('the museum', () => {
  let verdicts = new Map<string, Verdict>()

  beforeAll(async () => {
    verdicts = await visitExhibition()
  }, 480_000)

  it.each(defects)('$name is caught by $caughtBy', (defect) => {
    // An exhibit that cannot be hung is not a defect that was caught.
    expect(applyDefect(defect, read(defect.file))).not.toBe(read(defect.file))
    const verdict = verdicts.get(defect.name)
    expect(verdict?.loadErrors).toEqual([])
    expect(verdict?.failures, `no test noticed: ${defect.story}`).not.toEqual([])
    // A test that failed for want of its fixture has not noticed anything.
    expect(verdict?.failures.flatMap(({ errors }) => errors)).toContainEqual(
      expect.stringMatching(/^(?:AssertionError|MILLRACE_\w+)$/),
    )
  })

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

  it('is known to nobody outside of the museum', () => {
    const runners = ['scripts/test.js', 'vitest.config.ts']
    const others = tracked.filter((path) => !runners.includes(path))
    expect(others.filter((path) => read(path).includes('museum/'))).toEqual([])
  })

  it('is in no folder that is published, and the build imports nothing of the tests', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] }
    expect(files).toEqual(['bin', 'dist', 'CHANGELOG.md'])
    const published = tracked.filter((path) => /^(?:src|bin|scripts\/build\.js)/.test(path))
    const product = published.filter((path) => !/\.test\.ts$|-fixture\.ts$/.test(path))
    expect(product.filter((path) => /from '(?:\.\.\/)+test\//.test(read(path)))).toEqual([])
  })
})
