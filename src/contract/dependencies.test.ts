import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

/** The published sources of an area, with what they import. */
const imports = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/\.test(-d)?\.ts$|-fixture\.ts$|fixture\//.test(path))
  .flatMap((path) =>
    [...readFileSync(new URL(path, root), 'utf8').matchAll(/from\s+'([^']+)'/g)].map(
      ([, specifier = '']) => ({ path, specifier }),
    ),
  )

it('schema libraries are loaded by contracts alone', () => {
  const libraries = /^(?:typebox|ajv|ajv-formats|secure-json-parse|zod|valibot|arktype)(?:\/|$)/
  const loaded = imports.filter(({ specifier }) => libraries.test(specifier))
  expect(new Set(loaded.map(({ path }) => path.split('/')[0]))).toEqual(new Set(['contract']))
  expect(new Set(loaded.map(({ specifier }) => specifier))).toEqual(
    new Set(['ajv', 'ajv-formats', 'secure-json-parse', 'typebox']),
  )
})

it('the client does without contracts', () => {
  const below = imports.filter(
    ({ path, specifier }) =>
      /^(?:client|protocol|platform|observe|broker)\//.test(path) && specifier.includes('contract'),
  )
  expect(below).toEqual([])
})
