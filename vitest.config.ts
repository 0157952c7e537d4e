import { defineConfig } from 'vitest/config'

/** Suites that have minutes of their own: `npm run test:museum`, `npm run test:package`. */
const apart = { museum: 'test/museum/museum.test.ts', package: 'test/package/package.test.ts' }
const asked = process.env['MILLRACE_TEST_SUITE']

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      ...['test/kafka/**', 'test/clients/**', 'test/conformance/**', 'node_modules/**'],
      ...Object.entries(apart).flatMap(([suite, file]) => (suite === asked ? [] : [file])),
    ],
    // No module of ours keeps anything between calls, so that files can share one load of them all:
    // that takes longer than most tests.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 30_000,
    // What is waited for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    // Not for whoever works on it: what fails now and then is to be seen.
    retry: Number(process.env['MILLRACE_TEST_RETRIES'] ?? 0),
  },
})
