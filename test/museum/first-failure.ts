import fc from 'fast-check'
import { afterEach, beforeEach, inject, vi } from 'vitest'
import type { TestContext } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** What the name of a test must contain to be run. */
    readonly wordsOfTest: string
  }
}

/*
 * Set up in the suite of every exhibit. One test that fails is enough, as it fails: the rest of the
 * suite, and the search for a smaller example, would take most of the time.
 */
let hasFailed = false

fc.configureGlobal({ endOnFailure: true })

/** What does not come for this long does not come: with a defect in place, tests wait for what cannot be. */
const waitMsMax = 12_000
const { waitFor } = vi
vi.waitFor = (check, options) => {
  const given = typeof options === 'number' ? { timeout: options } : options
  return waitFor(check, { ...given, timeout: Math.min(given?.timeout ?? 1_000, waitMsMax) })
}

beforeEach((context) => {
  if (hasFailed) context.skip('the defect was noticed')
  if (!nameOf(context.task).includes(inject('wordsOfTest'))) context.skip('another test is meant')
})

afterEach(({ task }) => {
  if (task.result?.state === 'fail') hasFailed = true
})

function nameOf({ name, suite }: Pick<TestContext['task'], 'name' | 'suite'>): string {
  return suite === undefined ? name : `${nameOf(suite)} ${name}`
}
