import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defects } from './defects.ts'

/** The museum itself takes minutes: that a line was changed which a defect replaces is told at once. */
describe('what the defects of the museum replace', () => {
  it('is there, once', () => {
    const wrong = defects
      .filter(({ file, original }) => {
        const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
        return source.split(original).length !== 2
      })
      .map(({ name, file }) => `${name}: ${file}`)
    expect(wrong).toEqual([])
  })

  it('is caught by a suite that is there', () => {
    const missing = defects.filter(
      ({ caughtBy }) => readFileSync(new URL(`../../${caughtBy}`, import.meta.url), 'utf8') === '',
    )
    expect(missing).toEqual([])
  })
})
