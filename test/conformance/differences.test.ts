import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { attemptName, attempts } from './authorization-attempts.ts'
import { differences } from './differences.ts'

/** Promise: a row of the table cannot outlive its case. */
it('every difference names a case of the suite', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('\n')
  const rows = Object.values(differences).flatMap((table) => Object.keys(table))
  // Cases that are declared for several protocols have the protocol before their name.
  const ofTable = attempts.map(attemptName)
  const isCase = (name: string) =>
    ofTable.includes(name) ||
    [name, name.replace(/^\w+: /, '')].some((text) => sources.includes(`'${text}'`))
  expect(rows.filter((name) => !isCase(name))).toEqual([])
})
