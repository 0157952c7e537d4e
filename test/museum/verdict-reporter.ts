import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** A test that failed with a defect in place, and the names, or our codes, of the errors behind it. */
export interface Failure {
  readonly test: string
  readonly errors: readonly string[]
}

/** What the suite of one exhibit said. */
export interface Verdict {
  readonly exhibit: string
  /** What kept the suite from running. */
  readonly loadErrors: readonly string[]
  readonly failures: readonly Failure[]
}

/** With what a line begins that has a verdict. */
export const verdictMark = 'verdict '

/** Prints a line for the suite of each exhibit. */
export default class VerdictReporter implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const verdict: Verdict = {
      exhibit: module.project.name,
      loadErrors: module.errors().map(({ message }) => message),
      failures: Array.from(module.children.allTests('failed'), failureOf),
    }
    process.stdout.write(`${verdictMark}${JSON.stringify(verdict)}\n`)
  }
}

interface Thrown {
  readonly name?: string
  readonly code?: string
  readonly cause?: unknown
}

/** A property that fails has an error of its own; the one of the assertion is its cause. */
function failureOf(test: TestCase): Failure {
  const errors: string[] = []
  for (const error of test.result().errors ?? []) {
    for (let one = error as Thrown | undefined; one; one = one.cause as Thrown | undefined) {
      const isOurs = one.code?.startsWith('MILLRACE_') === true
      errors.push((isOurs ? one.code : one.name) ?? 'unknown')
    }
  }
  return { test: test.fullName.replaceAll(' > ', ' '), errors }
}
