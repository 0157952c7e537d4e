import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readFigures } from './figures.ts'
import { headerIn, pagePath, readHeaders, renderPage } from './page.ts'
import { promises } from './promises.ts'

it('the page is what `npm run reliability-table` writes', async () => {
  expect(readFileSync(pagePath, 'utf8')).toBe(await renderPage())
})

it('headers name promises and figures that there are', () => {
  const headers = readHeaders()
  expect(headers.length).toBeGreaterThan(20)
  for (const { path, proves, promise } of headers) {
    expect(promise, path).not.toBe('')
    for (const number of proves) expect(promises[number - 1], path).toBeDefined()
  }
  const kinds = new Set(headers.flatMap(({ figures }) => figures))
  expect(Object.keys(readFigures()).filter((kind) => !kinds.has(kind))).toEqual([])
})

it('a header is a sentence, and what stands behind it', () => {
  const text = `/**
 * Promise: it holds,
 * whatever happens.
 *
 * Proves: 1, 8
 * Command: npm run it
 * Figures: it, it --twice
 */`
  expect(headerIn('src/a.test.ts', text)).toEqual({
    path: 'src/a.test.ts',
    promise: 'it holds, whatever happens.',
    proves: [1, 8],
    command: 'npm run it',
    figures: ['it', 'it --twice'],
  })
  expect(headerIn('src/a.test.ts', '/** Promise: it holds. */')).toMatchObject({
    promise: 'it holds.',
    proves: [],
    command: 'npm test -- src/a.test.ts',
  })
  expect(headerIn('src/a.test.ts', '/** It tests. */')).toBeUndefined()
})
