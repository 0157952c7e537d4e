import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readmeFile, readResults, withTable } from './clients/compatibility.ts'

it('README.md has the results of foreign clients that were recorded', async () => {
  const readme = readFileSync(readmeFile, 'utf8')
  expect(await withTable(readme, readResults())).toBe(readme)
})

it('no case of a foreign client has failed', () => {
  expect(readResults().filter(({ failed }) => failed > 0)).toEqual([])
})
