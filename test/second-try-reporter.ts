import type { Reporter, TestCase } from 'vitest/node'

/** Names each test that failed first and passed when it was run again, so that it is seen and mended. */
export default class SecondTryReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return
    process.stderr.write(
      `\npassed at a second try: ${test.module.relativeModuleId} > ${test.fullName}\n`,
    )
  }
}
