import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { differences } from './differences.ts'

/** Promise: a row of the table cannot outlive its case. */
it('every difference names a case of the suite', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('\n')
  const rows = Object.values(differences).flatMap((table) => Object.keys(table))
  expect(rows.filter((name) => !sources.includes(`'${name}'`))).toEqual([])
})
